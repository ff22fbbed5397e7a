with source as (
    select * from {{ source('police_safeguarding', 'missing') }}
),

renamed as (
    select
        record_key,
        event_id,
        reported_at,
        found_at,
        risk_level as risk_level_code,
        missing_from as missing_from_code,
        return_interview_offered_on as return_interview_offered_date,
        return_interview_attended as is_return_interview_attended,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
