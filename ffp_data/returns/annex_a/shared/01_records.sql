-- The records whose feeds serve the returns, each with its person. Facts of a list come through here alone.
select
    records.record_key,
    records.child_id
from intermediate.int_persons__records as records
where records.is_for_returns
