with source as (
    select * from {{ source('case_system', 'xt_family_help_plans') }}
),

renamed as (
    select
        {{ in_drop('fhp_id') }} as plan_id,
        {{ in_drop('fhe_id') }} as family_help_id,
        plan_type as plan_type_code,
        start_date,
        review_due as review_due_date,
        end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
