with source as (
    select * from {{ source('case_system', 'ssd_family') }}
),

renamed as (
    select
        record_key,
        {{ in_system('fami_family_id') }} as residence_family_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
