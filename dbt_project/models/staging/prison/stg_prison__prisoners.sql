with source as (
    select * from {{ source('prison', 'prisoners') }}
),

renamed as (
    select
        record_key,
        custody_status,
        last_movement_type,
        prison_name,
        safeguarding_phone,
        last_admission_date,
        planned_release_date,
        confirmed_release_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
