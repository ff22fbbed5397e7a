with source as (
    select * from {{ source('declared', 'declared_events') }}
),

renamed as (
    select
        record_key,
        table_name as source_table,
        event_date,
        event_type,
        summary,
        guarded_summary,
        delivery_id,
        line
    from source
)

select * from renamed
