with tehadc_episodes as (
    select
        episodes.child_id as child_key,
        episodes.teh_episode_id,
        episodes.referral_date as teh_referral_date,
        episodes.referral_source_code as teh_referral_source,
        episodes.start_date as teh_start_date,
        episodes.end_date as teh_end_date,
        episodes.closure_reason_code as teh_closure_reason,
        episodes.primary_need_code as primary_need,
        -- What the worker recorded; where nothing was, what the dates of the case system say.
        coalesce(episodes.entry_route_code, steps.entry_route_code) as entry_route,
        steps.step_up_date
    from {{ ref('int_census__early_help') }} as episodes
    left join {{ ref('int_census__steps') }} as steps using (child_id, teh_episode_id)
)

select * from tehadc_episodes
