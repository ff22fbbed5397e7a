with source as (
    select * from {{ source('case_system', 'xt_macpt') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('s47_id') }} as enquiry_id,
        start_date,
        end_date,
        harm_outside_home as is_harm_outside_home,
        team,
        {{ in_drop('lead_child_protection_practitioner_id') }} as worker_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
