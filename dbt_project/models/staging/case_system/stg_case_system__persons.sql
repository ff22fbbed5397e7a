with source as (
    select * from {{ source('case_system', 'ssd_person') }}
),

renamed as (
    select
        record_key,
        pers_person_id as person_id,
        pers_ethnicity as ethnicity_code,
        pers_upn_unknown as upn_unknown_code,
        pers_death_date as death_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
