-- Episodes of care of each placement: those that name it, else those of its period of care that name none.
with by_name as (
    select
        placements.placement_id,
        episodes.episode_id
    from staging.stg_case_system__placements as placements
    inner join staging.stg_case_system__care_episodes as episodes using (placement_id)
),

by_period as (
    select
        placements.placement_id,
        episodes.episode_id
    from staging.stg_case_system__placements as placements
    inner join staging.stg_case_system__care_episodes as episodes using (care_period_id)
    where episodes.placement_id is null
),

named as (
    select * from by_name
    union
    select * from by_period
)

select
    named.placement_id,
    arg_min(episodes.referral_id, episodes.start_date) as referral_id,
    arg_min(episodes.start_reason_code, episodes.start_date) as start_reason,
    arg_max(episodes.end_reason_code, episodes.end_date) as end_reason
from named
inner join staging.stg_case_system__care_episodes as episodes using (episode_id)
group by named.placement_id
