-- Of whom the programme counts: who was under 18 on the first day of the collection year or born since. Wider than the
-- single view by those who turned 18 in the year, or closing at 18 would show nowhere.
with survivors as (
    select * from {{ ref('int_persons__survivors') }}
),

of_the_view as (
    select child_id from {{ ref('int_persons__children') }}
    where not coalesce(is_unborn, false) and coalesce(age_years, 0) < 18
),

people as (
    select survivors.*
    from survivors
    left join of_the_view on survivors.child_id = of_the_view.child_id
    where
        case
            when survivors.date_of_birth is null then of_the_view.child_id is not null
            else
                survivors.date_of_birth <= {{ as_at() }}
                and (survivors.date_of_birth + to_years(18))::date > {{ period_start() }}
        end
)

select * from people
