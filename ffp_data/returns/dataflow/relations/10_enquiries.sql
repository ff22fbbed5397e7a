-- The conference of an enquiry is the latest; one held because a family moved in under a plan is none of its own.
with conferences as (
    select
        enquiry_id,
        max(conference_date) as conference_date
    from staging.stg_case_system__conferences
    where conference_date <= $as_at and not coalesce(is_transfer_in, false)
    group by enquiry_id
),

outcomes as (
    select
        enquiry_id,
        case
            when json_valid(outcome_json) then lower(json_extract_string(outcome_json, '$.CP_CONFERENCE_FLAG'))
        end as is_called
    from staging.stg_case_system__enquiries
)

select
    events.child_key,
    events.episode_key,
    events.event_number as section_47_assessment_id,
    events.since as start_date,
    case
        when outcomes.is_called in ('y', 'yes', 't', 'true', '1') then true
        when outcomes.is_called in ('n', 'no', 'f', 'false', '0') then false
    end as icpc_required_flag,
    conferences.conference_date as icpc_date,
    events.until as end_date
from memory.dataflow.events as events
inner join outcomes on events.event_key = outcomes.enquiry_id
left join conferences on events.event_key = conferences.enquiry_id
where
    events.kind = 'enquiry'
    and (coalesce(events.until >= $window_start, true) or conferences.conference_date >= $window_start)
