with source as (
    select * from {{ source('police_safeguarding', 'events') }}
),

renamed as (
    select
        event_id,
        event_type as event_type_code,
        occurred_from as occurred_at,
        recorded_at,
        police_risk_grade as risk_grade_code,
        exploitation_type as exploitation_type_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
