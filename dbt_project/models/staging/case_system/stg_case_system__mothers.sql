with source as (
    select * from {{ source('case_system', 'ssd_mother') }}
),

renamed as (
    select
        record_key,
        moth_person_id as mother_person_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
