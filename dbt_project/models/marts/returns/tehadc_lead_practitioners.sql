with tehadc_lead_practitioners as (
    select
        child_id as child_key,
        teh_episode_id,
        start_date as lead_practitioner_start_date,
        end_date as lead_practitioner_end_date,
        role_code as lead_practitioner_role,
        agency_code as lead_practitioner_agency,
        case when is_social_work_qualified is not null then {{ flag_code('is_social_work_qualified') }} end
            as lead_practitioner_sw_qualified
    from {{ ref('int_census__lead_practitioners') }}
)

select * from tehadc_lead_practitioners
