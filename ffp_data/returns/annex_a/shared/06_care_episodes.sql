-- Looked-after episodes known on the date, numbered by period: an episode that starts on the day the last one ended
-- continues the period, a later one begins a new one.
with episodes as (
    select distinct
        records.child_id,
        episodes.start_date,
        case when episodes.end_date <= $on then episodes.end_date end as end_date,
        case when episodes.end_date <= $on then episodes.end_reason_code end as end_reason_code,
        episodes.primary_need_code,
        episodes.placement_id,
        case
            when episodes.reviewing_officer_contact_date <= $on then episodes.reviewing_officer_contact_date
        end as reviewing_officer_contact_date
    from staging.stg_case_system__care_episodes as episodes
    inner join inspected_records as records using (record_key)
    where episodes.start_date <= $on
),

gaps as (
    select
        *,
        coalesce(
            start_date > max(coalesce(end_date, date '9999-12-31')) over (
                partition by child_id
                order by start_date, end_date nulls last, placement_id
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as is_first_of_period
    from episodes
)

select
    * exclude (is_first_of_period),
    count(*) filter (where is_first_of_period) over (
        partition by child_id
        order by start_date, end_date nulls last, placement_id
        rows between unbounded preceding and current row
    ) as period_number
from gaps
