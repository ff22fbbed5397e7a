with source as (
    select * from {{ source('case_system', 'xt_family_members') }}
),

renamed as (
    select
        record_key,
        {{ in_system('fam_id') }} as fam_id,
        relationship,
        from_date,
        to_date,
        lives_in_home as is_in_home,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
