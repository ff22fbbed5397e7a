-- The records that each row of the targeted early help collection rests on.
with episodes as (
    select * from {{ ref('int_census__early_help') }}
),

records as (
    select * from {{ ref('int_persons__records') }}
),

facts as (
    select
        'tehadc_assessments' as return_table,
        record_key,
        teh_episode_id,
        start_date,
        'assessments' as source_table,
        delivery_id,
        line
    from {{ ref('stg_early_help__assessments') }}
    union all
    select
        'tehadc_plans',
        record_key,
        teh_episode_id,
        start_date,
        'plans',
        delivery_id,
        line
    from {{ ref('stg_early_help__plans') }}
    union all
    select
        'tehadc_lead_practitioners',
        record_key,
        teh_episode_id,
        start_date,
        'lead_practitioners',
        delivery_id,
        line
    from {{ ref('stg_early_help__lead_practitioners') }}
),

sources as (
    select
        'tehadc_episodes' as return_table,
        child_id,
        teh_episode_id as row_key,
        null as row_value,
        record_key,
        'episodes' as source_table,
        delivery_id,
        line
    from episodes
    union all
    select
        facts.return_table,
        episodes.child_id,
        episodes.teh_episode_id,
        facts.start_date::varchar,
        facts.record_key,
        facts.source_table,
        facts.delivery_id,
        facts.line
    from facts
    inner join records using (record_key)
    inner join episodes
        on records.child_id = episodes.child_id and facts.teh_episode_id = episodes.teh_episode_id
)

select * from sources
