with source as (
    select * from {{ source('declared', 'declared_involvements') }}
),

renamed as (
    select
        record_key,
        table_name as source_table,
        since,
        until,
        contact_name,
        contact_phone,
        team,
        is_withheld,
        through = 'family' as is_through_family,
        delivery_id,
        line
    from source
)

select * from renamed
