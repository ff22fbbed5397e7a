with tehadc_plans as (
    select
        child_id as child_key,
        teh_episode_id,
        start_date as teh_plan_start_date,
        end_date as teh_plan_end_date
    from {{ ref('int_census__early_help_plans') }}
)

select * from tehadc_plans
