with source as (
    select * from {{ source('school_census_attendance', 'terms') }}
),

renamed as (
    select
        record_key,
        census_year,
        census_term,
        census_date,
        sessions_possible as possible_session_count,
        sessions_authorised as authorised_session_count,
        sessions_unauthorised as unauthorised_session_count,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
