with episodes as (
    select
        record_key,
        start_date as event_date,
        'health_service_started' as event_type,
        concat('Health service began', ': ' || service) as summary,
        'episodes_of_care' as source_table,
        delivery_id,
        line
    from {{ ref('stg_health_fhir__episodes_of_care') }}
    where status_code not in ('cancelled', 'planned')
    union all
    select
        record_key,
        end_date,
        'health_service_ended',
        concat('Health service ended', ': ' || service),
        'episodes_of_care',
        delivery_id,
        line
    from {{ ref('stg_health_fhir__episodes_of_care') }}
    where status_code = 'finished' and end_date is not null
),

encounters as (
    select
        record_key,
        started_at::date as event_date,
        case class_code
            when 'EMER' then 'emergency_attendance' when 'IMP' then 'hospital_stay' else 'health_contact'
        end
            as event_type,
        case class_code
            when 'EMER' then 'Emergency department attendance'
            when 'IMP' then 'Stay in hospital'
            when 'HH' then 'Health visit at home'
            else 'Health contact'
        end as summary,
        'encounters' as source_table,
        delivery_id,
        line
    from {{ ref('stg_health_fhir__encounters') }}
    where coalesce(status_code not in ('planned', 'cancelled', 'entered-in-error'), true)
),

missed as (
    select
        record_key,
        starts_at::date as event_date,
        'not_brought' as event_type,
        'Appointment: not brought' as summary,
        'appointments' as source_table,
        delivery_id,
        line
    from {{ ref('stg_health_fhir__appointments') }}
    where status_code = 'noshow'
),

-- Attendance as the NHS Data Dictionary codes it (ATTENDED OR DID NOT ATTEND): 3 not brought, 2 and 4 called off.
held as (
    select
        * exclude (contact_type_code),
        case when attended_code = '3' then 'MISSED_APPOINTMENT' else contact_type_code end as contact_type_code
    from {{ ref('stg_health_csv__contacts') }}
    where coalesce(attended_code not in ('2', '4'), true)
),

contacts as (
    select
        contacts.record_key,
        contacts.contact_date as event_date,
        case contacts.contact_type_code
            when 'MISSED_APPOINTMENT' then 'not_brought'
            when 'ED_ATTENDANCE' then 'emergency_attendance'
            else 'health_contact'
        end as event_type,
        concat(
            types.meaning,
            case when contacts.is_safeguarding_concern then ', safeguarding concern noted' end
        ) as summary,
        'contacts' as source_table,
        contacts.delivery_id,
        contacts.line
    from held as contacts
    inner join {{ ref('health_contact_types') }} as types using (contact_type_code)
),

events as (
    select * from episodes
    union all
    select * from encounters
    union all
    select * from missed
    union all
    select * from contacts
)

select * from events
