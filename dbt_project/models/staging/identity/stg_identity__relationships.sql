with source as (
    select * from {{ source('identity', 'relationships') }}
),

renamed as (
    select
        record_key,
        related_record_key,
        related_name,
        relationship,
        source,
        from_date,
        to_date,
        split_part(source, '.', 2) as source_table,
        delivery_id,
        line
    from source
)

select * from renamed
