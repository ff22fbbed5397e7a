with source as (
    select * from {{ source('identity', 'person_identifiers') }}
),

renamed as (
    -- A record says it once, whatever the number of its tables.
    select
        record_key,
        min(value) as upn
    from source
    where identifier_type = 'upn' and not is_valid
    group by record_key
)

select * from renamed
