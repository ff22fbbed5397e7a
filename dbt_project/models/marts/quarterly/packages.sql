-- Family network support packages, one row per package and record of a child.
-- The amount is the whole package's in each.
with facts as (
    select * from {{ ref('int_quarterly__packages') }}
)

select
    child_id,
    fnsp_id,
    fgdm_id,
    stage_code,
    route_code,
    purpose,
    agreed_date,
    approved_date,
    distributed_date,
    amount_pounds,
    recorded_date,
    is_confident,
    record_key,
    delivery_id,
    line
from facts
