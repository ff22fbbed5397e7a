-- Detects: a fact dated after the as-at date in the single view, or after the reference date in a return.
-- A failure means: a run for a past date would know the future, and could not be repeated.
-- Returns: the table and the date.
select
    'chronology' as table_name,
    event_date as later_date
from {{ ref('chronology') }}
where event_date > {{ as_at() }}
union all
select
    'flags',
    since
from {{ ref('flags') }}
where since > {{ as_at() }}
union all
select
    'cin_details',
    cin_closure_date
from {{ ref('cin_details') }}
where cin_closure_date > {{ period_end() }}
union all
select
    'cin_protection_plans',
    cpp_end_date
from {{ ref('cin_protection_plans') }}
where cpp_end_date > {{ period_end() }}
union all
select
    'tehadc_episodes',
    teh_end_date
from {{ ref('tehadc_episodes') }}
where teh_end_date > {{ period_end() }}
union all
select
    'clocks',
    greatest(start_date, stop_date, case_closed_on)
from {{ ref('clocks') }}
where greatest(start_date, stop_date, case_closed_on) > {{ as_at() }}
