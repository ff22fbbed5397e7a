with source as (
    select * from {{ source('case_system', 'xt_practitioners') }}
),

renamed as (
    select
        {{ in_drop('professional_id') }} as worker_id,
        employer as employer_code,
        role as role_code,
        job_title,
        grade,
        is_social_work_qualified,
        specialism,
        is_fgdm_facilitator,
        is_in_macpt,
        from_date,
        to_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
