with source as (
    select * from {{ source('case_system', 'ssd_legal_status') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('lega_legal_status_id') }} as legal_status_id,
        lega_legal_status as legal_status_code,
        lega_legal_status_start_date as start_date,
        lega_legal_status_end_date as end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
