with source as (
    select * from {{ source('case_system', 'xt_fnsp') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('fnsp_id') }} as fnsp_id,
        {{ in_drop('fgdm_id') }} as fgdm_id,
        agreed_date,
        start_date,
        end_date,
        approved_date,
        distributed_date,
        amount_pounds::decimal(12, 2) as amount_pounds,
        purpose,
        stage as stage_code,
        route as route_code,
        recorded_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
