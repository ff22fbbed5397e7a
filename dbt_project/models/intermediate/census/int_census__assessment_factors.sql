-- Factors come as {"1A": "Yes", ...} or ["1A", ...]; only a finished assessment has any (rule 8614).
with assessments as (
    select * from {{ ref('int_census__assessments') }}
    where authorisation_date is not null
),

factors as (
    select
        assessment_id,
        factors_json::json as factors
    from {{ ref('stg_case_system__assessment_factors') }}
    where factors_json is not null
),

keyed as (
    select
        assessment_id,
        unnest(case json_type(factors)
            when 'ARRAY' then from_json(factors, '["VARCHAR"]')
            when 'OBJECT'
                then
                    list_filter(
                        json_keys(factors),
                        key -> lower(json_extract_string(factors, '$."' || key || '"')) in ('yes', 'y', 'true', '1')
                    )
            else []
        end) as assessment_factor_code
    from factors
),

of_assessments as (
    select distinct
        assessments.child_id,
        assessments.cin_key,
        assessments.assessment_key,
        keyed.assessment_factor_code
    from assessments
    inner join keyed using (assessment_id)
)

select * from of_assessments
