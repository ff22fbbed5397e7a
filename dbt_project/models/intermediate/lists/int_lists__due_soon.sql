-- Clocks that run and are due within `due_soon_working_days`; what a clock is, int_timeliness__clocks says.
with clocks as (
    select * from {{ ref('int_timeliness__clocks') }}
    where clock in ('assessment', 'conference') and state = 'due_soon'
),

entries as (
    select distinct
        'due_soon' as list_id,
        child_id,
        start_date as since,
        case clock when 'assessment' then 'assessment begun' else 'conference after the enquiry begun' end || ' on '
        || start_date || ' is due on ' || due_date as facts,
        ['case_system'] as feeds,
        is_confident
    from clocks
)

select * from entries
