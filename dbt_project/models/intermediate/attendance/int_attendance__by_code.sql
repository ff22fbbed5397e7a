-- The pass over the marks: counts by record and code, so that everything after it works on a small table.
-- A session counts while the pupil is on the roll, from admission to leaving (DfE, Monitor your school attendance), and
-- once for a child: where two rolls mark one session, the mark that says most of where the child was stands.
with enrolments as (
    select
        records.child_id,
        enrolments.record_key,
        enrolments.admission_date,
        coalesce(enrolments.leaving_date, {{ as_at() }}) as last_date,
        count(*) over (partition by records.child_id) > 1 as is_on_several_rolls
    from {{ ref('stg_education__enrolments') }} as enrolments
    inner join {{ ref('int_persons__records') }} as records using (record_key)
),

codes as (
    select
        code as attendance_code,
        statistical_class
    from {{ ref('attendance_codes') }}
),

-- Read twice rather than kept: tens of millions of rows would fill the memory.
marks as not materialized (
    select
        enrolments.child_id,
        enrolments.is_on_several_rolls,
        marks.record_key,
        marks.session_date,
        marks.session,
        marks.attendance_code
    from {{ ref('stg_education__marks') }} as marks
    inner join enrolments using (record_key)
    where
        marks.session_date <= {{ as_at() }}
        and marks.session_date > {{ as_at() }} - interval 12 month
        and marks.session_date between enrolments.admission_date and enrolments.last_date
),

-- Few children are on several rolls in a year, so that sorting their marks alone is cheap.
marks_of_one_session as (
    select
        marks.child_id,
        marks.record_key,
        marks.session_date,
        marks.session,
        marks.attendance_code
    from marks
    left join codes using (attendance_code)
    where marks.is_on_several_rolls
    qualify row_number() over (
        partition by marks.child_id, marks.session_date, marks.session
        order by
            case codes.statistical_class
                when 'present' then 1
                when 'approved_activity' then 1
                when 'authorised' then 2
                when 'unauthorised' then 3
                else 4
            end asc,
            marks.record_key asc
    ) = 1
),

counted as (
    select * from marks_of_one_session
    union all
    select
        child_id,
        record_key,
        session_date,
        session,
        attendance_code
    from marks
    where not is_on_several_rolls
),

counts as (
    select
        child_id,
        record_key,
        attendance_code,
        session_date >= {{ academic_year_start() }} as is_this_academic_year,
        date_trunc('month', session_date)::date as session_month,
        month(session_date) < 9 and session_date >= {{ spring_bank_holiday('session_date') }} as is_sixth_half_term,
        count(*) as session_count,
        max(session_date) as last_session_date
    from counted
    group by all
)

select * from counts
