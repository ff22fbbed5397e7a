with source as (
    select * from {{ source('case_system', 'ssd_cla_episodes') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('clae_cla_episode_id') }} as episode_id,
        {{ in_drop('clae_cla_id') }} as care_period_id,
        {{ in_drop('clae_referral_id') }} as referral_id,
        clae_cla_episode_start_date as start_date,
        clae_cla_episode_start_reason as start_reason_code,
        clae_cla_episode_ceased_date as end_date,
        clae_cla_episode_ceased_reason as end_reason_code,
        clae_cla_primary_need_code as primary_need_code,
        {{ in_drop('clae_cla_placement_id') }} as placement_id,
        clae_cla_last_iro_contact_date as reviewing_officer_contact_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
