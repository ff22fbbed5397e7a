-- Who held a child's case: the worker of the date, else the last one before. One row per child.
with allocations as (
    select
        records.child_id,
        involvements.team,
        professionals.professional_name as worker,
        involvements.start_date,
        case when involvements.end_date <= $on then involvements.end_date end as end_date,
        involvements.involvement_id
    from staging.stg_case_system__worker_involvements as involvements
    inner join inspected_records as records using (record_key)
    left join staging.stg_case_system__professionals as professionals using (professional_id)
    where involvements.start_date <= $on
)

select
    child_id,
    team,
    worker,
    end_date is null as is_current
from allocations
qualify row_number() over (
    partition by child_id
    order by end_date desc nulls first, start_date desc, worker asc nulls last, team asc nulls last, involvement_id asc
) = 1
