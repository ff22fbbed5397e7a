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

meetings as (
    select
        records.child_id,
        'family_group_meeting' as clock,
        meetings.offered_date as start_date,
        null::date as due_date,
        coalesce(meetings.meeting_date, meetings.withdrawn_date) as stop_date,
        case
            when meetings.meeting_date is not null then 'meeting held'
            when meetings.withdrawn_date is not null then 'offer withdrawn'
            when meetings.is_accepted then 'accepted, waiting for the meeting'
            when not meetings.is_accepted then 'declined'
            else 'offered, no answer yet'
        end as state_in_words,
        false as is_pressing,
        records.is_confident,
        meetings.record_key,
        meetings.delivery_id,
        meetings.line
    from {{ ref('stg_case_system__family_group_meetings') }} as meetings
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where meetings.offered_date is not null
),

packages as (
    select
        records.child_id,
        'support_package' as clock,
        packages.agreed_date as start_date,
        null::date as due_date,
        packages.distributed_date as stop_date,
        case
            when packages.distributed_date is not null then 'paid'
            when packages.approved_date is not null then 'approved, waiting to be paid'
            else 'agreed, waiting for approval'
        end as state_in_words,
        packages.distributed_date is null as is_pressing,
        records.is_confident,
        packages.record_key,
        packages.delivery_id,
        packages.line
    from {{ ref('stg_case_system__support_packages') }} as packages
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where packages.agreed_date is not null
),

together as (
    select * from timed
    union all
    select * from meetings
    union all
    select * from packages
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
        together.stop_date is null
        or row_number() over (
            partition by together.child_id, together.clock, together.stop_date is null
            order by together.stop_date desc, together.start_date desc, together.record_key asc, together.line asc
        ) = 1
)

select * from child_clocks
