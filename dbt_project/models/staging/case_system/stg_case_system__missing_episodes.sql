with source as (
    select * from {{ source('case_system', 'ssd_missing') }}
),

renamed as (
    select
        record_key,
        miss_missing_episode_start_date as start_date,
        miss_missing_episode_end_date as end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
