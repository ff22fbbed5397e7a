with source as (
    select * from {{ source('police_safeguarding', 'persons') }}
),

renamed as (
    select
        record_key,
        nominal_id,
        under_18 as is_under_18,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
