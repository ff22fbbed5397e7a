with source as (
    select * from {{ source('case_system', 'ssd_cin_assessments') }}
),

renamed as (
    select
        record_key,
        {{ in_drop('cina_assessment_id') }} as assessment_id,
        {{ in_drop('cina_referral_id') }} as referral_id,
        cina_assessment_start_date as start_date,
        cina_assessment_auth_date as authorisation_date,
        cina_assessment_child_seen as is_child_seen,
        cina_assessment_outcome_nfa as is_no_further_action,
        cina_assessment_team as team,
        {{ in_drop('cina_assessment_worker_id') }} as worker_id,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
