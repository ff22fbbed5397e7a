-- Steps before care proceedings, one row per run of steps and record of a child.
with facts as (
    select * from {{ ref('int_quarterly__legal_steps') }}
)

select
    child_id,
    tracker_id,
    legal_planning_date,
    letter_date,
    first_meeting_date,
    application_date,
    end_date,
    end_reason_code,
    is_confident,
    record_key,
    delivery_id,
    line
from facts
