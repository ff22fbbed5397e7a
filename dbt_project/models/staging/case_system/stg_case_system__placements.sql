with source as (
    select * from {{ source('case_system', 'ssd_cla_placement') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('clap_cla_placement_id') }} as placement_id,
        {{ in_drop('clap_cla_id') }} as care_period_id,
        clap_cla_placement_start_date as start_date,
        clap_cla_placement_end_date as end_date,
        clap_cla_placement_type as placement_type_code,
        clap_cla_placement_postcode as postcode,
        clap_cla_placement_change_reason as change_reason_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
