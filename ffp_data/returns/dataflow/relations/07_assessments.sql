select
    events.child_key,
    events.episode_key,
    events.event_key,
    events.event_number as child_and_family_assessment_id,
    assessments.start_date,
    events.until as authorisation_date
from memory.dataflow.events as events
inner join staging.stg_case_system__assessments as assessments on events.event_key = assessments.assessment_id
where events.kind = 'assessment' and (events.since >= $window_start or events.until >= $window_start)
