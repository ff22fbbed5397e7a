-- Assessments under way on any day of the window: those begun, authorised or still open in it.
with assessments as (
    select
        records.child_id,
        assessments.start_date,
        case when assessments.authorisation_date <= $on then assessments.authorisation_date end as authorisation_date,
        assessments.is_child_seen,
        assessments.is_no_further_action,
        assessments.team,
        professionals.professional_name as worker,
        assessments.assessment_id
    from staging.stg_case_system__assessments as assessments
    inner join inspected_records as records using (record_key)
    left join staging.stg_case_system__professionals as professionals
        on assessments.worker_id = professionals.professional_id
    where assessments.start_date <= $on
),

once as (
    select * from assessments
    where coalesce(authorisation_date >= $since, true)
    qualify row_number() over (partition by child_id, start_date, authorisation_date order by assessment_id) = 1
)

select
    people.*,
    once.start_date as assessment_start_date,
    case once.is_child_seen when true then 'Y' when false then 'N' else 'U' end as child_seen,
    once.authorisation_date,
    case
        when once.authorisation_date is null then null
        when once.is_no_further_action then 'N'
        when not once.is_no_further_action then 'Y'
    end as support_required,
    once.team as allocated_team,
    once.worker as allocated_worker
from once
inner join inspected_people as people using (child_id)
