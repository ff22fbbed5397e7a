with source as (
    select * from {{ source('case_system', 'xt_strategy_discussions') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('discussion_id') }} as discussion_id,
        held_date,
        concluded_date,
        outcome as outcome_code,
        {{ in_drop('s47_id') }} as enquiry_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
