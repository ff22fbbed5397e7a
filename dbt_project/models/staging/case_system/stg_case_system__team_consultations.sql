with source as (
    select * from {{ source('case_system', 'xt_macpt_consultations') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('consultation_id') }} as consultation_id,
        consulted_date,
        asked_by_team,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
