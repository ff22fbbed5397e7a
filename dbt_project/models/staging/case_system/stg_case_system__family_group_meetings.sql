with source as (
    select * from {{ source('case_system', 'xt_fgdm') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('fgdm_id') }} as fgdm_id,
        trigger as trigger_code,
        offered_date,
        accepted as is_accepted,
        meeting_date,
        plan_agreed as is_plan_agreed,
        plan_agreed_date,
        stage as stage_code,
        not_offered_reason,
        not_offered_date,
        signed_off as is_signed_off,
        withdrawn_date,
        withdrawn_reason,
        recorded_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
