with source as (
    select * from {{ source('case_system', 'ssd_cin_episodes') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('cine_referral_id') }} as referral_id,
        cine_referral_date as referral_date,
        cine_referral_source_code as referral_source_code,
        cine_cin_primary_need_code as primary_need_code,
        cine_referral_nfa as is_no_further_action,
        cine_close_date as closure_date,
        cine_close_reason as closure_reason_code,
        cine_referral_team as team,
        {{ in_drop('cine_referral_worker_id') }} as worker_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
