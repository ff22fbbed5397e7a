with spells as (
    select
        records.child_id,
        enrolments.admission_date as since,
        case when enrolments.leaving_date <= {{ as_at() }} then enrolments.leaving_date end as until,
        null as contact_name,
        null as contact_phone,
        'school ' || enrolments.school_urn as team,
        records.record_key,
        false as is_withheld,
        enrolments.delivery_id,
        enrolments.line,
        {{ origin('pupils', 'enrolments') }} as origin
    from {{ ref('stg_education__enrolments') }} as enrolments
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where enrolments.admission_date <= {{ as_at() }}
)

select * from spells
