with source as (
    select * from {{ source('case_system', 'ssd_cin_plans') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('cinp_cin_plan_id') }} as plan_id,
        {{ in_drop('cinp_referral_id') }} as referral_id,
        cinp_cin_plan_start_date as start_date,
        cinp_cin_plan_end_date as end_date,
        cinp_cin_plan_team as team,
        {{ in_drop('cinp_cin_plan_worker_id') }} as worker_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
