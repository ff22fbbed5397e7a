with source as (
    select * from {{ source('health_fhir', 'appointments') }}
),

renamed as (
    select
        record_key,
        appointment_id,
        status as status_code,
        start_at as starts_at,
        service,
        _delivery_id as delivery_id,
        _line as line
    from source
    -- A resource taken back has stayed in raw so that no older copy comes back.
    where status != 'entered-in-error'
)

select * from renamed
