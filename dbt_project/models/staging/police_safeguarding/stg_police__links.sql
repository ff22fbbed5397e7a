with source as (
    select * from {{ source('police_safeguarding', 'links') }}
),

renamed as (
    select
        record_key,
        event_id,
        role as role_code,
        child_present as is_child_present,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
