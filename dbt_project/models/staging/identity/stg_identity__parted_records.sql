with source as (
    select * from {{ source('identity', 'parted_records') }}
),

renamed as (
    select record_key
    from source
)

select * from renamed
