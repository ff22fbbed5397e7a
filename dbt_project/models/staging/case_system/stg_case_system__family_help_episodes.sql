with source as (
    select * from {{ source('case_system', 'xt_family_help_episodes') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('fhe_id') }} as family_help_id,
        {{ in_system('fhe_family_id') }} as fam_id,
        start_date,
        end_date,
        source as source_code,
        end_reason,
        tier_at_end as tier_at_end_code,
        {{ in_drop('lead_practitioner_id') }} as lead_practitioner_id,
        lead_practitioner_type as lead_practitioner_type_code,
        agency as agency_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
