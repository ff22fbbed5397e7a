-- Child protection plans of this authority, known on the date. A plan kept for another authority is that one's.
with plans as (
    select
        records.child_id,
        plans.start_date,
        case when plans.end_date <= $on then plans.end_date end as end_date,
        plans.initial_category_code,
        plans.latest_category_code,
        plans.plan_id
    from staging.stg_case_system__protection_plans as plans
    inner join inspected_records as records using (record_key)
    where plans.start_date <= $on and not coalesce(plans.is_for_other_authority, false)
)

select * from plans
qualify row_number() over (partition by child_id, start_date order by end_date desc nulls first, plan_id asc) = 1
