with source as (
    select * from {{ source('probation', 'persons') }}
),

renamed as (
    select
        record_key,
        current_exclusion as is_excluded,
        under_active_supervision as is_supervised,
        manager_name,
        manager_team,
        manager_phone,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
