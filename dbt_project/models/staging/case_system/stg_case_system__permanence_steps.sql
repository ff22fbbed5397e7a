with source as (
    select * from {{ source('case_system', 'ssd_permanence') }}
),

renamed as (
    select
        record_key,
        perm_adm_decision_date as decision_date,
        perm_matched_date as matched_date,
        perm_placed_for_adoption_date as placed_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
