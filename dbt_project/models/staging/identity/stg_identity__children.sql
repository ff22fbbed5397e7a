with source as (
    select * from {{ source('identity', 'children') }}
),

renamed as (
    select
        child_id,
        kind
    from source
)

select * from renamed
