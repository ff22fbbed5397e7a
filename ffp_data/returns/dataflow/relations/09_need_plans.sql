select
    child_key,
    episode_key,
    event_number as child_in_need_plan_id,
    since as start_date,
    until as end_date
from memory.dataflow.events
where kind = 'need_plan' and coalesce(until >= $window_start, true)
