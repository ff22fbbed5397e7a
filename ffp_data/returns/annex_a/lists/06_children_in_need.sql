-- Children with an episode of need open on any day of the window, under 18 on one of those days. Their status is that
-- of the date, the highest first.
with looked_after as (
    select distinct periods.child_id
    from inspected_care_periods as periods
    inner join inspected_people as people using (child_id)
    where periods.end_date is null and coalesce(people.birthday + to_years($adult_age) > $on, true)
),

protected as (
    select distinct child_id from inspected_protection_plans
    where end_date is null
),

planned as (
    select distinct records.child_id
    from staging.stg_case_system__need_plans as plans
    inner join inspected_records as records using (record_key)
    where plans.start_date <= $on and coalesce(plans.end_date > $on, true)
),

assessed as (
    select distinct records.child_id
    from staging.stg_case_system__assessments as assessments
    inner join inspected_records as records using (record_key)
    where assessments.start_date <= $on and coalesce(assessments.authorisation_date > $on, true)
)

select
    people.*,
    episodes.referral_date as need_start_date,
    episodes.primary_need_code as primary_need,
    episodes.closure_date,
    episodes.closure_reason_code as closure_reason,
    case
        when episodes.closure_date is not null then 'CLOSED'
        when looked_after.child_id is not null then 'CLA'
        when protected.child_id is not null then 'CP'
        when planned.child_id is not null then 'CIN'
        when assessed.child_id is not null then 'ASSESSMENT'
        else 'CIN'
    end as case_status,
    case when allocations.is_current or episodes.closure_date is not null then allocations.team end as allocated_team,
    case when allocations.is_current or episodes.closure_date is not null then allocations.worker end
        as allocated_worker
from inspected_episodes_of_need as episodes
inner join inspected_people as people using (child_id)
left join looked_after using (child_id)
left join protected using (child_id)
left join planned using (child_id)
left join assessed using (child_id)
left join inspected_allocations as allocations using (child_id)
where
    coalesce(episodes.closure_date >= $since, true)
    and coalesce(people.birthday + to_years($adult_age) > $since, true)
