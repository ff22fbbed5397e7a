with enrolments as (
    select
        records.child_id,
        enrolments.school_urn,
        records.feed,
        enrolments.admission_date,
        records.record_key,
        1 as preference
    from {{ ref('stg_education__enrolments') }} as enrolments
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        enrolments.admission_date <= {{ as_at() }}
        and coalesce(enrolments.leaving_date > {{ as_at() }}, true)
        and coalesce(enrolments.enrolment_status_code, 'C') in ('C', 'M')  -- current, or main of a dual registration
),

known_to_health as (
    select
        records.child_id,
        children.school_urn,
        records.feed,
        records.valid_from as admission_date,
        records.record_key,
        2 as preference
    from {{ ref('stg_health_csv__children') }} as children
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where children.school_urn is not null
),

known as (
    select * from enrolments
    union all
    select * from known_to_health
),

schools as (
    select
        child_id,
        school_urn,
        feed as school_source,
        admission_date as school_as_of,
        record_key as school_record_key
    from known
    qualify row_number() over (
        partition by child_id order by preference asc, admission_date desc nulls last, record_key asc
    ) = 1
)

select * from schools
