with source as (
    select * from {{ source('not_in_school', 'episodes') }}
),

renamed as (
    select
        record_key,
        status_type as status_code,
        start_date,
        end_date,
        suitable_education_judged as suitability_code,
        last_seen_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
