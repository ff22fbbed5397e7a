-- Who holds a case of Family Help, as the case system says, to hold beside the register of practitioners.
with facts as (
    select * from {{ ref('int_quarterly__lead_workers') }}
)

select
    child_id,
    worker_id,
    start_date,
    end_date,
    is_confident,
    record_key,
    delivery_id,
    line
from facts
