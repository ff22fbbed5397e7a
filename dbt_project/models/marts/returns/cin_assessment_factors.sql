with cin_assessment_factors as (
    select
        child_id as child_key,
        cin_key,
        assessment_key,
        assessment_factor_code as assessment_factor
    from {{ ref('int_census__assessment_factors') }}
)

select * from cin_assessment_factors
