with source as (
    select * from {{ source('case_system', 'ssd_cla_episodes') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('clae_cla_episode_id') }} as episode_id,
        {{ in_drop('clae_cla_id') }} as care_period_id,
        clae_cla_episode_start_date as start_date,
        clae_cla_episode_ceased_date as end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
