-- The clocks that run for a child, and of each kind the one that stopped last. What each limit is, and when it is due,
-- int_timeliness__clocks says; family group decision making and support packages have no limit, only days that wait.
with timed as (
    select
        child_id,
        clock,
        start_date,
        due_date,
        stop_date,
        case state
            when 'done_in_time' then 'done in time'
            when 'done_late' then 'done late'
            when 'overdue' then 'overdue'
            when 'due_soon' then 'due soon'
            when 'running' then 'running'
            else 'cannot be judged: a date is missing or wrong'
        end as state_in_words,
        state in ('overdue', 'due_soon') as is_pressing,
        is_confident,
        record_key,
        delivery_id,
        line
    from {{ ref('int_timeliness__clocks') }}
    where clock in ('assessment', 'conference', 'protection_review')
),

together as (
    select
        *,
        stop_date is null and state_in_words != 'declined' as is_running
    from (
        select * from timed
        union all by name
        select * from {{ ref('int_timeliness__family_network') }}
    )
),

child_clocks as (
    select
        together.child_id,
        together.clock,
        together.start_date,
        together.due_date,
        together.stop_date,
        together.state_in_words,
        together.is_pressing,
        together.is_confident,
        'case_system' as source,
        together.record_key,
        together.delivery_id,
        together.line
    from together
    semi join {{ ref('int_persons__children') }} using (child_id)
    where coalesce(together.start_date, together.stop_date) <= {{ as_at() }}
    qualify
        together.is_running
        or row_number() over (
            partition by together.child_id, together.clock, together.is_running
            order by
                coalesce(together.stop_date, together.start_date) desc,
                together.start_date desc,
                together.record_key asc,
                together.line asc
        ) = 1
)

select * from child_clocks
