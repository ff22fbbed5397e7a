with events as (
    select
        record_key,
        event_date,
        event_type,
        summary,
        guarded_summary,
        source_table,
        delivery_id,
        line
    from {{ ref('stg_declared__events') }}
)

select * from events
