with source as (
    select * from {{ source('case_system', 'ssd_initial_cp_conference') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('icpc_icpc_id') }} as conference_id,
        {{ in_drop('icpc_s47_enquiry_id') }} as enquiry_id,
        {{ in_drop('icpc_referral_id') }} as referral_id,
        icpc_icpc_transfer_in as is_transfer_in,
        icpc_icpc_date as conference_date,
        icpc_icpc_outcome_cp_flag as is_plan_agreed,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
