with source as (
    select * from {{ source('identity', 'superseded_nhs_numbers') }}
),

renamed as (
    select
        former_number,
        nhs_number
    from source
)

select * from renamed
