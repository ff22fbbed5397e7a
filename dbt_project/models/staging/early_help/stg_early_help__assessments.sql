with source as (
    select * from {{ source('early_help', 'assessments') }}
),

renamed as (
    select
        record_key,
        assessment_id,
        teh_episode_id,
        start_date,
        completion_date,
        organisation as organisation_code,
        factors,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
