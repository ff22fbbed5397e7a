with source as (
    select * from {{ source('case_system', 'ssd_professionals') }}
),

renamed as (
    select
        {{ in_drop('prof_professional_id') }} as professional_id,
        prof_professional_name as professional_name,
        prof_professional_job_title as job_title,
        prof_social_worker_registration_no as registration_number,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
