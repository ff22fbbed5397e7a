select
    events.child_key,
    events.episode_key,
    events.event_number as child_looked_after_placement_id,
    events.since as start_date,
    care.start_reason,
    told.placement_type_code as placement_type,
    -- where a child who must not be located lives is not told
    case when not survivors.is_restricted then told.postcode end as postcode,
    events.until as end_date,
    case when events.until is not null then care.end_reason end as end_reason,
    case when events.until is not null then told.change_reason_code end as change_reason
from memory.dataflow.events as events
inner join staging.stg_case_system__placements as told on events.event_key = told.placement_id
inner join intermediate.int_persons__survivors as survivors on events.child_key = survivors.child_id
left join memory.dataflow.care as care on events.event_key = care.placement_id
where events.kind = 'placement' and coalesce(events.until >= $window_start, true)
