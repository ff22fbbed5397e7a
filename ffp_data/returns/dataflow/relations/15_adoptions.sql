-- The latest steps of the window, with the child's newest episode: the source ties them to none.
with newest_episodes as (
    select
        child_key,
        episode_key
    from memory.dataflow.episodes
    qualify row_number() over (partition by child_key order by referral_date desc, episode_key asc) = 1
),

steps as (
    select
        records.child_id as child_key,
        case when told.decision_date <= $as_at then told.decision_date end as initial_decision_date,
        case when told.matched_date <= $as_at then told.matched_date end as matched_date,
        case when told.placed_date <= $as_at then told.placed_date end as placed_date
    from staging.stg_case_system__permanence_steps as told
    inner join intermediate.int_persons__records as records using (record_key)
)

select
    newest_episodes.child_key,
    newest_episodes.episode_key,
    steps.initial_decision_date,
    steps.matched_date,
    steps.placed_date
from steps
inner join newest_episodes using (child_key)
where greatest(steps.initial_decision_date, steps.matched_date, steps.placed_date) >= $window_start
qualify row_number() over (
    partition by steps.child_key
    order by
        coalesce(steps.placed_date, steps.matched_date, steps.initial_decision_date) desc,
        steps.placed_date, steps.matched_date asc, steps.initial_decision_date asc
) = 1
