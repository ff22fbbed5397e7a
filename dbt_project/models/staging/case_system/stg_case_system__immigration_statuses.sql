with source as (
    select * from {{ source('case_system', 'ssd_immigration_status') }}
),

renamed as (
    select
        record_key,
        immi_immigration_status as immigration_status,
        immi_immigration_status_start_date as start_date,
        immi_immigration_status_end_date as end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
