-- Moves between targeted early help and children's social care, from the dates of both systems.
with episodes as (
    select
        child_id,
        teh_episode_id,
        start_date,
        end_date
    from {{ ref('int_census__early_help') }}
),

closures as (
    select
        child_id,
        closure_date as end_date,
        'E2' as entry_route_code,
        3 as preference
    from {{ ref('int_census__referrals') }}
    where closure_date is not null and not is_no_further_action
    union all
    select
        records.child_id,
        plans.end_date,
        'E3',
        2
    from {{ ref('stg_case_system__protection_plans') }} as plans
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where plans.end_date is not null
    union all
    select
        records.child_id,
        care.end_date,
        'E4',
        1
    from {{ ref('stg_case_system__care_episodes') }} as care
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where care.end_date is not null
),

steps_down as (
    -- The highest level that the child came down from.
    select
        episodes.child_id,
        episodes.teh_episode_id,
        arg_min(closures.entry_route_code, closures.preference) as entry_route_code
    from episodes
    inner join closures
        on
            episodes.child_id = closures.child_id
            and closures.end_date between episodes.start_date - {{ var('step_window_days') }} and episodes.start_date
    group by episodes.child_id, episodes.teh_episode_id
),

steps_up as (
    select
        episodes.child_id,
        episodes.teh_episode_id,
        min(referrals.referral_date) as step_up_date
    from episodes
    inner join {{ ref('int_census__referrals') }} as referrals
        on
            episodes.child_id = referrals.child_id
            and not referrals.is_no_further_action
            and episodes.start_date <= referrals.referral_date
            and referrals.referral_date
            <= coalesce(episodes.end_date + {{ var('step_window_days') }}, {{ period_end() }})
    group by episodes.child_id, episodes.teh_episode_id
),

steps as (
    select
        episodes.child_id,
        episodes.teh_episode_id,
        steps_down.entry_route_code,
        steps_up.step_up_date
    from episodes
    left join steps_down using (child_id, teh_episode_id)
    left join steps_up using (child_id, teh_episode_id)
)

select * from steps
