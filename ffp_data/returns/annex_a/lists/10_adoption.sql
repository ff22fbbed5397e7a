-- Children adopted in the window, or under a placement order on any day of it.
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

listed as (
    select child_id from adopted
    union
    select child_id from freed
),

entered as (
    select
        child_id,
        max(start_date) as start_date
    from inspected_care_periods
    group by child_id
)

select
    people.*,
    coalesce(adopted.start_date, entered.start_date) as care_start_date,
    orders.start_date as placement_order_date,
    adopted.end_date as adoption_order_date
from listed
inner join inspected_people as people using (child_id)
left join adopted using (child_id)
left join orders using (child_id)
left join entered using (child_id)
