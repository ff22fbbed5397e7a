with source as (
    select * from {{ source('case_system', 'ssd_disability') }}
),

renamed as (
    select
        record_key,
        disa_disability_code as disability_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
