with source as (
    select * from {{ source('case_system', 'xt_parent_offers') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('offer_id') }} as offer_id,
        {{ in_drop('s47_id') }} as enquiry_id,
        offered_date,
        is_taken_up,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
