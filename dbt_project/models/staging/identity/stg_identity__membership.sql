with source as (
    select * from {{ source('identity', 'child_membership') }}
),

renamed as (
    select
        record_key,
        child_id,
        linked_since,
        link_confidence
    from source
)

select * from renamed
