-- The highest level of help of each child at the end of each quarter, and on the day before the first.
with people as (
    select * from {{ ref('int_programme__people') }}
),

spells as (
    select
        records.child_id,
        work.level,
        work.start_date,
        work.end_date
    from ({{ spells_of_services() }}) as work
    inner join {{ ref('int_persons__records') }} as records using (record_key)
),

days as (
    select distinct unnest([first_day - 1, last_day]) as day
    from {{ ref('int_programme__quarters') }}
),

begun as (
    select
        spells.child_id,
        days.day,
        max(
            case
                when spells.end_date <= days.day then 0
                else
                    case spells.level
                        when 'looked_after' then 4 when 'child_protection' then 3 when 'child_in_need' then 2 else 1
                    end
            end
        ) as height
    from spells
    inner join days on spells.start_date <= days.day
    group by spells.child_id, days.day
),

levels as (
    select
        people.child_id,
        days.day,
        case
            when (people.date_of_birth + to_years(18))::date <= days.day then 'turned 18'
            else
                case begun.height
                    when 4 then 'looked after'
                    when 3 then 'child protection'
                    when 2 then 'child in need'
                    when 1 then 'targeted early help'
                    when 0 then 'closed'
                    else 'no service'
                end
        end as level
    from people
    cross join days
    left join begun on people.child_id = begun.child_id and days.day = begun.day
)

select * from levels
