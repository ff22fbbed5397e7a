with source as (
    select * from {{ source('case_system', 'ssd_assessment_factors') }}
),

renamed as (
    select
        {{ in_drop('cinf_assessment_id') }} as assessment_id,
        cinf_assessment_factors_json as factors_json,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
