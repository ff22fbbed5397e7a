with source as (
    select * from {{ source('identity', 'link_pairs') }}
),

renamed as (
    select
        record_id_l as left_record_key,
        record_id_r as right_record_key,
        match_probability,
        veto
    from source
)

select * from renamed
