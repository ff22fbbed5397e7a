with source as (
    select * from {{ source('education_attendance', 'pupils') }}
),

renamed as (
    select
        record_key,
        school_urn,
        pupil_key,
        ethnicity as ethnicity_code,
        sen_provision as sen_provision_code,
        fsm_eligible as is_fsm_eligible,
        looked_after as is_looked_after,
        nc_year_actual as nc_year,
        admission_date,
        leaving_date,
        enrol_status as enrolment_status_code,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
