with source as (
    select * from {{ source('case_system', 'ssd_missing') }}
),

renamed as (
    select
        record_key,
        miss_missing_episode_start_date as start_date,
        miss_missing_episode_end_date as end_date,
        miss_missing_episode_type as episode_type,
        miss_missing_rhi_offered as return_interview_offered,
        miss_missing_rhi_accepted as return_interview_accepted,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
