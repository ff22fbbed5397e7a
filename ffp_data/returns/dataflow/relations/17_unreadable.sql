-- Lists and outcomes that are no JSON: told and kept back, never left out in silence.
select
    events.child_key,
    'factors' as field,
    'no_json' as rule
from memory.dataflow.events as events
inner join staging.stg_case_system__assessment_factors as told on events.event_key = told.assessment_id
where events.kind = 'assessment' and not json_valid(told.factors_json)
union all
select
    events.child_key,
    'icpc_required_flag',
    'no_json'
from memory.dataflow.events as events
inner join staging.stg_case_system__enquiries as told on events.event_key = told.enquiry_id
where events.kind = 'enquiry' and not json_valid(told.outcome_json)
