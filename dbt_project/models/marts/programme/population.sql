with people as (
    select * from {{ ref('int_programme__people') }}
),

ethnicity as (
    select
        ethnicity.child_id,
        grouped.ethnicity_group
    from {{ ref('int_persons__ethnicity') }} as ethnicity
    inner join {{ ref('ethnicity_groups') }} as grouped using (ethnicity_code)
),

disability as (
    select
        child_id,
        bool_or(disability_code != 'NONE') as is_disabled
    from {{ ref('int_census__disabilities') }}
    group by child_id
),

population as (
    select
        people.child_id,
        -- On the first day of the year, so that a count since then can only grow.
        case
            when people.date_of_birth is null then 'not known'
            when (people.date_of_birth + to_years(5))::date > {{ period_start() }} then '0 to 4'
            when (people.date_of_birth + to_years(10))::date > {{ period_start() }} then '5 to 9'
            when (people.date_of_birth + to_years(16))::date > {{ period_start() }} then '10 to 15'
            else '16 and 17'
        end as age,
        case people.sex when 'F' then 'female' when 'M' then 'male' else 'not known' end as sex,
        coalesce(ethnicity.ethnicity_group, 'not known') as ethnicity,
        case disability.is_disabled
            when true then 'disabled' when false then 'not disabled' else 'not known'
        end as disability,
        case when not coalesce(people.is_restricted, false) then split_part(people.postcode, ' ', 1) end as district
    from people
    left join ethnicity using (child_id)
    left join disability using (child_id)
)

select * from population
