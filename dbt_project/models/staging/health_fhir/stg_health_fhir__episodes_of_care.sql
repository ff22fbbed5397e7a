with source as (
    select * from {{ source('health_fhir', 'episodes_of_care') }}
),

renamed as (
    select
        record_key,
        episode_id,
        status as status_code,
        service,
        started_on as start_date,
        ended_on as end_date,
        care_manager,
        team_phone,
        _delivery_id as delivery_id,
        _line as line
    from source
    -- A resource taken back has stayed in raw so that no older copy comes back.
    where status != 'entered-in-error'
)

select * from renamed
