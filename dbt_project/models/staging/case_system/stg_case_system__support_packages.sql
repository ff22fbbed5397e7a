with source as (
    select * from {{ source('case_system', 'xt_fnsp') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('fnsp_id') }} as fnsp_id,
        agreed_date,
        start_date,
        end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
