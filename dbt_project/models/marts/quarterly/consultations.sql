-- Advice that the multi-agency child protection team gave about a child.
with facts as (
    select * from {{ ref('int_quarterly__consultations') }}
)

select
    child_id,
    consultation_id,
    consulted_date,
    asked_by_team,
    is_confident,
    record_key,
    delivery_id,
    line
from facts
