with source as (
    select * from {{ source('health_fhir', 'encounters') }}
),

renamed as (
    select
        record_key,
        encounter_id,
        status as status_code,
        class_code,
        encounter_type,
        started_at,
        _delivery_id as delivery_id,
        _line as line
    from source
    -- A resource taken back has stayed in raw so that no older copy comes back.
    where status != 'entered-in-error'
)

select * from renamed
