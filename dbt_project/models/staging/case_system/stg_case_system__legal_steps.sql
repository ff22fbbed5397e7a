with source as (
    select * from {{ source('case_system', 'xt_legal_tracker') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('tracker_id') }} as tracker_id,
        legal_planning_date,
        letter_date,
        first_meeting_date,
        application_date,
        end_date,
        end_reason as end_reason_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
