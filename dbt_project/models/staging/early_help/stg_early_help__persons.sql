with source as (
    select * from {{ source('early_help', 'persons') }}
),

renamed as (
    select
        record_key,
        eh_person_id,
        eh_family_id,
        relationship_in_family,
        upn_unknown as upn_unknown_code,
        ethnicity as ethnicity_code,
        disabilities,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
