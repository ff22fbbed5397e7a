with source as (
    select * from {{ source('identity', 'shielded') }}
),

renamed as (
    select child_id
    from source
)

select * from renamed
