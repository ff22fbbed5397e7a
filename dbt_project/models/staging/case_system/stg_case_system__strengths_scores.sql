with source as (
    select * from {{ source('case_system', 'ssd_sdq_scores') }}
),

renamed as (
    select
        record_key,
        csdq_sdq_completed_date as completed_date,
        csdq_sdq_score as score,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
