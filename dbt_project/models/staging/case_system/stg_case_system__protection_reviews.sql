with source as (
    select * from {{ source('case_system', 'ssd_cp_reviews') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('cppr_cp_review_id') }} as review_id,
        {{ in_drop('cppr_cp_plan_id') }} as plan_id,
        cppr_cp_review_date as review_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
