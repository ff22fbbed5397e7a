-- Offers of information, advice and support to adults when an enquiry starts. The adult has the hub's own identifier
-- where the record is tied to one, else the record's key, so that nobody is counted away.
with facts as (
    select * from {{ ref('int_quarterly__parent_offers') }}
)

select
    adult_id,
    offer_id,
    enquiry_id,
    offered_date,
    is_taken_up,
    record_key,
    delivery_id,
    line
from facts
