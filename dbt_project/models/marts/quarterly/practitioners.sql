-- The register of practitioners: who employs them and what they are trained in. Nothing here is about a child.
with facts as (
    select * from {{ ref('int_quarterly__practitioners') }}
)

select
    worker_id,
    employer_code,
    role_code,
    job_title,
    grade,
    is_social_work_qualified,
    specialism,
    is_fgdm_facilitator,
    is_in_macpt,
    from_date,
    to_date,
    delivery_id,
    line
from facts
