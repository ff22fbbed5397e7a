with source as (
    select * from {{ source('health_csv', 'contacts') }}
),

renamed as (
    select
        record_key,
        contact_id,
        contact_type as contact_type_code,
        contact_date,
        setting,
        attended as attended_code,
        team,
        safeguarding_concern as is_safeguarding_concern,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
