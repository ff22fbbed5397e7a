-- Periods of being looked after, with the legal status of their last day. Agreed series of short breaks are none.
with periods as (
    select
        child_id,
        period_number,
        min(start_date) as start_date,
        case when count(*) = count(end_date) then max(end_date) end as end_date,
        max(reviewing_officer_contact_date) as reviewing_officer_contact_date
    from inspected_care_episodes
    group by child_id, period_number
),

last_episodes as (
    select
        child_id,
        period_number,
        primary_need_code,
        end_reason_code,
        placement_id
    from inspected_care_episodes
    qualify row_number() over (
        partition by child_id, period_number
        order by start_date desc, end_date desc nulls first, placement_id asc nulls last
    ) = 1
),

statuses as (
    select
        periods.child_id,
        periods.period_number,
        statuses.legal_status_code,
        statuses.start_date as legal_status_start_date
    from periods
    inner join inspected_legal_statuses as statuses
        on
            periods.child_id = statuses.child_id
            and statuses.start_date <= coalesce(periods.end_date, $on)
            and coalesce(statuses.end_date >= coalesce(periods.end_date, $on), true)
    qualify row_number() over (
        partition by periods.child_id, periods.period_number
        order by statuses.start_date desc, statuses.legal_status_code asc
    ) = 1
)

select
    periods.*,
    last_episodes.* exclude (child_id, period_number),
    statuses.* exclude (child_id, period_number)
from periods
inner join last_episodes using (child_id, period_number)
left join statuses using (child_id, period_number)
where not coalesce(list_contains($short_break_statuses, statuses.legal_status_code), false)
