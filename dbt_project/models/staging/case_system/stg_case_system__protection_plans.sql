with source as (
    select * from {{ source('case_system', 'ssd_cp_plans') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('cppl_cp_plan_id') }} as plan_id,
        {{ in_drop('cppl_referral_id') }} as referral_id,
        cppl_cp_plan_start_date as start_date,
        cppl_cp_plan_end_date as end_date,
        cppl_cp_plan_ola as is_for_other_authority,
        cppl_cp_plan_initial_category as initial_category_code,
        cppl_cp_plan_latest_category as latest_category_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
