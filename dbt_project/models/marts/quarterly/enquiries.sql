-- Section 47 enquiries, one row per enquiry and record of a child.
with facts as (
    select * from {{ ref('int_quarterly__enquiries') }}
)

select
    child_id,
    enquiry_id,
    start_date,
    end_date,
    is_confident,
    record_key,
    delivery_id,
    line
from facts
