with source as (
    select * from {{ source('health_fhir', 'patients') }}
),

renamed as (
    select
        record_key,
        gp_practice as gp_practice_code,
        ethnic_category as ethnic_category_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
