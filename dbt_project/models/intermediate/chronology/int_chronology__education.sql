with events as (
    select
        record_key,
        admission_date as event_date,
        'school_joined' as event_type,
        'Joined a school (URN ' || school_urn || ')' as summary,
        'pupils' as source_table,
        delivery_id,
        line
    from {{ ref('stg_education__enrolments') }}
    union all
    select
        record_key,
        leaving_date,
        'school_left',
        'Left a school (URN ' || school_urn || ')',
        'pupils',
        delivery_id,
        line
    from {{ ref('stg_education__enrolments') }}
    where leaving_date is not null
)

select * from events
