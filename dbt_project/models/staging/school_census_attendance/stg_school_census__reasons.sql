with source as (
    select * from {{ source('school_census_attendance', 'reasons') }}
),

renamed as (
    select
        record_key,
        census_year,
        census_term,
        attendance_code,
        sessions as session_count,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
