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
    where record_status is distinct from 'entered-in-error'
)

select * from renamed
