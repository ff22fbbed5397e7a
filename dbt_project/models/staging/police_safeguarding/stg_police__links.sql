with source as (
    select * from {{ source('police_safeguarding', 'links') }}
),

renamed as (
    select
        record_key,
        event_id,
        role as role_code,
        child_present as is_child_present,
        welfare_check_made as is_welfare_check_made,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
