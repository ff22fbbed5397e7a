with source as (
    select * from {{ source('early_help', 'episodes') }}
),

renamed as (
    select
        record_key,
        teh_episode_id,
        eh_family_id,
        referral_date,
        referral_source as referral_source_code,
        start_date,
        end_date,
        closure_reason as closure_reason_code,
        primary_need as primary_need_code,
        entry_route as entry_route_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
