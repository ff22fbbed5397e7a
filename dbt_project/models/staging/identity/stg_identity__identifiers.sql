with source as (
    select * from {{ source('identity', 'person_identifiers') }}
),

renamed as (
    select
        record_key,
        identifier_type,
        value,
        is_valid,
        source
    from source
)

select * from renamed
