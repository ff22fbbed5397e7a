-- The plan open on the date, else the last one that ended in the window; one row per child.
with plans as (
    select
        *,
        row_number() over (partition by child_id order by start_date) - 1 as previous_plan_count
    from inspected_protection_plans
),

latest as (
    select * from plans
    where coalesce(end_date >= $since, true)
    qualify row_number() over (
        partition by child_id order by end_date desc nulls first, start_date desc, plan_id asc
    ) = 1
),

reviews as (
    select
        latest.child_id,
        max(reviews.review_date) as review_date
    from staging.stg_case_system__protection_reviews as reviews
    inner join inspected_records as records using (record_key)
    inner join latest
        on
            records.child_id = latest.child_id
            and reviews.review_date between latest.start_date and coalesce(latest.end_date, $on)
    group by latest.child_id
),

emergencies as (
    select distinct child_id from inspected_legal_statuses
    where list_contains($emergency_statuses, legal_status_code) and coalesce(end_date >= $since, true)
)

select
    people.*,
    latest.start_date as plan_start_date,
    latest.initial_category_code as initial_category,
    latest.latest_category_code as latest_category,
    reviews.review_date,
    latest.end_date as plan_end_date,
    case when emergencies.child_id is null then 'N' else 'Y' end as emergency_protection,
    latest.previous_plan_count,
    case when allocations.is_current or latest.end_date is not null then allocations.team end as allocated_team,
    case when allocations.is_current or latest.end_date is not null then allocations.worker end as allocated_worker
from latest
inner join inspected_people as people using (child_id)
left join reviews using (child_id)
left join emergencies using (child_id)
left join inspected_allocations as allocations using (child_id)
