-- Every clock as a manager reads it: the child by the council's own number, the state in words, and why a clock does
-- not count. A restricted child stays on the list; team and worker, which locate a child, are left out.
with clocks as (
    select * from {{ ref('int_timeliness__clocks') }}
),

children as (
    select
        child_id,
        is_restricted
    from {{ ref('int_persons__survivors') }}
),

case_numbers as (
    select * from {{ ref('int_persons__case_numbers') }}
),

placed as (
    select
        clocks.*,
        children.is_restricted,
        case_numbers.la_child_id,
        from_json('[' || replace(clocks.band_limits, '|', ',') || ']', '["INTEGER"]') as limits
    from clocks
    left join children using (child_id)
    left join case_numbers using (child_id)
),

banded as (
    select
        * exclude (limits),
        coalesce(list_max(list_filter(limits, edge -> edge < days)) + 1, 0) as band_from,
        list_min(list_filter(limits, edge -> edge >= days)) as band_to
    from placed
),

worded as (
    select
        measure_id,
        clock,
        child_id,
        la_child_id,
        start_date,
        due_date,
        stop_date,
        days,
        case
            when days is null or band_limits is null then null
            when band_to is null then band_from || '+'
            when band_from = band_to then 'same day'
            else band_from || '-' || band_to
        end as band,
        time_limit || case limit_unit
            when 'working_day' then ' working days'
            when 'calendar_month' then ' calendar months'
            else ' days'
        end as limit_in_words,
        state,
        case state
            when 'not_counted' then 'cannot be judged'
            when 'done_in_time' then 'done in time'
            when 'done_late' then 'done late'
            when 'overdue' then 'overdue since ' || due_date
            when 'due_soon' then 'due soon, on ' || due_date
            when 'referred_again' then 'referred again within 12 months'
            when 'not_referred_before' then 'not referred in the 12 months before'
            else 'running' || coalesce(', due on ' || due_date, '')
        end as state_in_words,
        is_counted,
        is_in_numerator,
        exclusion,
        case
            when exclusion = 'stop_before_start' then 'the end is dated before the start'
            when exclusion = 'no_start_date' then 'no section 47 enquiry is recorded for the conference'
            when exclusion = 'transfer_in' then 'a transfer in, reported apart'
            when exclusion = 'other_authority' then 'a temporary plan of another authority'
            when exclusion = 'outside_calendar' then 'a date outside the calendar of bank holidays'
            when exclusion = 'plan_too_young' then 'the plan is not open long enough'
            when not is_counted and clock = 'protection_review' then 'counted with the running review of the plan'
            when not is_counted then 'still running'
        end as why_not_counted,
        case_closed_on,
        is_restricted,
        case when not is_restricted then worker end as worker,
        case when not is_restricted then team end as team,
        is_confident,
        record_key,
        delivery_id,
        line
    from banded
)

select * from worded
