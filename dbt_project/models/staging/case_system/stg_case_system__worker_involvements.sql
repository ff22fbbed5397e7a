with source as (
    select * from {{ source('case_system', 'ssd_involvements') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('invo_involvements_id') }} as involvement_id,
        {{ in_drop('invo_professional_id') }} as professional_id,
        {{ in_drop('invo_referral_id') }} as referral_id,
        invo_professional_role_id as role_code,
        invo_professional_team as team,
        invo_involvement_start_date as start_date,
        invo_involvement_end_date as end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
