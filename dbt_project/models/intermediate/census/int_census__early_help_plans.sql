with plans as (
    select distinct
        episodes.child_id,
        episodes.teh_episode_id,
        facts.start_date,
        {{ known_by('facts.end_date', period_end()) }} as end_date
    from {{ ref('stg_early_help__plans') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    inner join {{ ref('int_census__early_help') }} as episodes
        on records.child_id = episodes.child_id and facts.teh_episode_id = episodes.teh_episode_id
    where facts.start_date <= {{ period_end() }}
)

select * from plans
