with cin_assessments as (
    select
        child_id as child_key,
        cin_key,
        assessment_key,
        start_date as assessment_actual_start_date,
        -- The Standard Safeguarding Dataset carries no internal review date.
        null::date as assessment_internal_review_date,
        authorisation_date as assessment_authorisation_date
    from {{ ref('int_census__assessments') }}
)

select * from cin_assessments
