with source as (
    select * from {{ source('meta', 'bank_holidays') }}
),

renamed as (
    select date as holiday_date
    from source
)

select * from renamed
