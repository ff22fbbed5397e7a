with source as (
    select * from {{ source('education_attendance', 'marks') }}
),

renamed as (
    select
        record_key,
        session_date,
        session,
        attendance_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
