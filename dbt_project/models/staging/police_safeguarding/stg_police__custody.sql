with source as (
    select * from {{ source('police_safeguarding', 'custody') }}
),

renamed as (
    select
        record_key,
        event_id,
        custody_ref as custody_id,
        detention_authorised_at,
        released_at,
        overnight as is_overnight,
        s38_transfer_requested as is_transfer_requested,
        s38_transfer_made as is_transfer_made,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
