with tehadc_assessments as (
    select
        child_id as child_key,
        teh_episode_id,
        start_date as teh_assessment_start_date,
        completion_date as teh_assessment_completion_date,
        organisation_code as organisation_completing_assessment,
        nullif(factors, '') as assessment_factors
    from {{ ref('int_census__early_help_assessments') }}
)

select * from tehadc_assessments
