-- Family group decision making and family network support packages as clocks without a limit: since when one waits, and
-- for what.
with meetings as (
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

family_network as (
    select * from meetings
    union all
    select * from packages
)

select * from family_network
