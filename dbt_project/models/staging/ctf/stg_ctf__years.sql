with source as (
    select * from {{ source('ctf', 'years') }}
),

renamed as (
    select
        record_key,
        year as school_year_end,
        lea || '/' || estab as laestab,
        sessions_possible as possible_session_count,
        sessions_authorised as authorised_session_count,
        sessions_unauthorised as unauthorised_session_count,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
