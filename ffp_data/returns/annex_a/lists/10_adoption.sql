-- Children adopted in the window, under a placement order on any day of it, or in care and to be placed for adoption.
with adopted as (
    select
        child_id,
        start_date,
        end_date
    from inspected_care_periods
    where list_contains($adoption_reasons, end_reason_code) and end_date >= $since
),

orders as (
    select
        child_id,
        max(start_date) as start_date
    from inspected_legal_statuses
    where list_contains($placement_order_statuses, legal_status_code)
    group by child_id
),

freed as (
    select distinct child_id from inspected_legal_statuses
    where list_contains($placement_order_statuses, legal_status_code) and coalesce(end_date >= $since, true)
),

steps as (
    select
        records.child_id,
        max(told.decision_date) filter (where told.decision_date <= $on) as decision_date,
        max(told.matched_date) filter (where told.matched_date <= $on) as matching_date,
        max(told.placed_date) filter (where told.placed_date <= $on) as placed_date
    from staging.stg_case_system__permanence_steps as told
    inner join inspected_records as records using (record_key)
    group by records.child_id
),

listed as (
    select child_id from adopted
    union
    select child_id from freed
    union
    select steps.child_id
    from steps
    inner join inspected_care_periods as periods using (child_id)
    where steps.decision_date is not null and periods.end_date is null
),

entered as (
    select
        child_id,
        max(start_date) as start_date
    from inspected_care_periods
    group by child_id
),

fostered as (
    select
        placements.child_id,
        min(placements.start_date) as start_date
    from inspected_placements as placements
    inner join entered on placements.child_id = entered.child_id and placements.start_date >= entered.start_date
    where list_contains($fostering_for_adoption_types, placements.placement_type)
    group by placements.child_id
)

select
    people.*,
    coalesce(adopted.start_date, entered.start_date) as care_start_date,
    steps.decision_date,
    steps.matching_date,
    steps.placed_date,
    fostered.start_date as fostering_for_adoption_date,
    orders.start_date as placement_order_date,
    adopted.end_date as adoption_order_date
from inspected_people as people
semi join listed using (child_id)
left join adopted using (child_id)
left join orders using (child_id)
left join entered using (child_id)
left join steps using (child_id)
left join fostered using (child_id)
