with source as (
    select * from {{ source('identity', 'nhs_number_assertions') }}
),

renamed as (
    select
        record_key,
        nhs_number,
        tier,
        method,
        score,
        asserted_on,
        effect,
        former_number
    from source
)

select * from renamed
