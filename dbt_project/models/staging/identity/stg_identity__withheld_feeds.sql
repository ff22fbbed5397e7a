with source as (
    select * from {{ source('identity', 'withheld_feeds') }}
),

renamed as (
    select
        child_id,
        feed
    from source
)

select * from renamed
