with source as (
    select * from {{ source('case_system', 'ssd_contacts') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('cont_contact_id') }} as contact_id,
        cont_contact_date as contact_date,
        cont_contact_source_code as source_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
