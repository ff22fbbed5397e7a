with source as (
    select * from {{ source('early_help', 'lead_practitioners') }}
),

renamed as (
    select
        record_key,
        appointment_id,
        teh_episode_id,
        practitioner_name,
        practitioner_phone,
        role as role_code,
        agency as agency_code,
        is_social_work_qualified,
        start_date,
        end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
