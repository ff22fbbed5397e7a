-- Family group decision making, one row per process and record of a child.
with facts as (
    select * from {{ ref('int_quarterly__group_decisions') }}
)

select
    child_id,
    fgdm_id,
    trigger_code,
    stage_code,
    offered_date,
    is_accepted,
    withdrawn_date,
    withdrawn_reason,
    not_offered_date,
    not_offered_reason,
    is_signed_off,
    meeting_date,
    is_plan_agreed,
    plan_agreed_date,
    recorded_date,
    is_confident,
    record_key,
    delivery_id,
    line
from facts
