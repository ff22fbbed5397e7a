-- Factors come as {"1A": "Yes", ...} or ["1A", ...].
with factors as (
    select
        assessments.child_key,
        assessments.event_key,
        told.factors_json::json as factors
    from memory.dataflow.assessments as assessments
    inner join staging.stg_case_system__assessment_factors as told on assessments.event_key = told.assessment_id
    where json_valid(told.factors_json)
)

select
    child_key,
    event_key,
    unnest(case json_type(factors)
        when 'ARRAY' then from_json(factors, '["VARCHAR"]')
        when 'OBJECT'
            then
                list_filter(
                    json_keys(factors),
                    key -> lower(json_extract_string(factors, '$."' || key || '"')) in ('yes', 'y', 'true', '1')
                )
        else []
    end) as factor
from factors
