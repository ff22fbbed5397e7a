with source as (
    select * from {{ source('case_system', 'xt_return_home_plans') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('plan_id') }} as plan_id,
        start_date,
        end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
