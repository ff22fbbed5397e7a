with source as (
    select * from {{ source('case_system', 'ssd_s47_enquiry') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('s47e_s47_enquiry_id') }} as enquiry_id,
        {{ in_drop('s47e_referral_id') }} as referral_id,
        s47e_s47_start_date as start_date,
        s47e_s47_end_date as end_date,
        s47e_s47_nfa as is_no_further_action,
        s47e_s47_outcome_json as outcome_json,
        s47e_s47_completed_by_team as team,
        {{ in_drop('s47e_s47_completed_by_worker_id') }} as worker_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
