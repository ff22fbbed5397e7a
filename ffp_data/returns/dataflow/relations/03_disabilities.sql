-- A child without a recorded disability is sent as NONE.
with told as (
    select
        child_id,
        disability_code
    from intermediate.int_census__disabilities
)

select
    cohort.child_id as child_key,
    coalesce(told.disability_code, 'NONE') as disability
from memory.dataflow.cohort as cohort
left join told using (child_id)
