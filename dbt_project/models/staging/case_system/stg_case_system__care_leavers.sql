with source as (
    select * from {{ source('case_system', 'ssd_care_leavers') }}
),

renamed as (
    select
        record_key,
        clea_care_leaver_latest_contact as contact_date,
        clea_care_leaver_activity as activity_code,
        clea_care_leaver_accommodation as accommodation_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
