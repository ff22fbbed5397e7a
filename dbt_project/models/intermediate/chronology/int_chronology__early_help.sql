with codes as (
    select * from {{ ref('codes') }}
    where code_list = 'teh_closure_reason'
),

starts as (
    select
        record_key,
        start_date as event_date,
        'early_help_started' as event_type,
        'Targeted early help began' as summary,
        'episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_early_help__episodes') }}
),

ends as (
    select
        episodes.record_key,
        episodes.end_date as event_date,
        'early_help_ended' as event_type,
        concat('Targeted early help ended', ': ' || codes.meaning) as summary,
        'episodes' as source_table,
        episodes.delivery_id,
        episodes.line
    from {{ ref('stg_early_help__episodes') }} as episodes
    left join codes on episodes.closure_reason_code = codes.code
    where episodes.end_date is not null
),

plans as (
    select
        record_key,
        start_date as event_date,
        'early_help_plan_started' as event_type,
        'Early help plan began' as summary,
        'plans' as source_table,
        delivery_id,
        line
    from {{ ref('stg_early_help__plans') }}
),

events as (
    select * from starts
    union all
    select * from ends
    union all
    select * from plans
)

select * from events
