with source as (
    select * from {{ source('case_system', 'ssd_early_help_episodes') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('earl_episode_id') }} as episode_id,
        earl_episode_start_date as start_date,
        earl_episode_end_date as end_date,
        earl_episode_organisation as organisation,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
