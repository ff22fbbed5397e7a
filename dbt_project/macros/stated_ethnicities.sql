{#- What each record says of a person's ethnicity, in DfE's codes. -#}
{% macro stated_ethnicities() -%}
    select
        record_key,
        ethnicity_code
    from {{ ref('stg_case_system__persons') }}
    union all
    select
        record_key,
        ethnicity_code
    from {{ ref('stg_education__enrolments') }}
    union all
    select
        record_key,
        ethnicity_code
    from {{ ref('stg_early_help__persons') }}
    union all
    select
        patients.record_key,
        categories.ethnicity_code
    from {{ ref('stg_health_fhir__patients') }} as patients
    inner join {{ ref('ethnic_categories') }} as categories on patients.ethnic_category_code = categories.nhs_code
    union all
    select
        children.record_key,
        categories.ethnicity_code
    from {{ ref('stg_health_csv__children') }} as children
    inner join {{ ref('ethnic_categories') }} as categories on children.ethnic_category_code = categories.nhs_code
{%- endmacro %}
