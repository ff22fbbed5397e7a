with source as (
    select * from {{ source('health_csv', 'children') }}
),

renamed as (
    select
        record_key,
        school_urn,
        gp_ods as gp_practice_code,
        ethnic_category as ethnic_category_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
