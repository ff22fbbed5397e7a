with cin_plan_dates as (
    select
        child_id as child_key,
        cin_key,
        plan_key,
        start_date as cin_plan_start_date,
        end_date as cin_plan_end_date
    from {{ ref('int_census__need_plans') }}
)

select * from cin_plan_dates
