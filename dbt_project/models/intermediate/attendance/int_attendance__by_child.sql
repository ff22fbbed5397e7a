-- Codes to classes, enrolments to children. Code D (attending the other school of a dual registration) is not a
-- possible session, so that adding over enrolments counts each session once. The published measure is of pupils who
-- were 5 to 15 on the 31 August before the school year, and leaves out the second half of the summer term for those
-- who were 15 (DfE, Pupil absence statistics: methodology).
with counts as (
    select * from {{ ref('int_attendance__by_code') }}
),

codes as (
    select
        code as attendance_code,
        statistical_class,
        statistical_class in ('present', 'approved_activity', 'authorised', 'unauthorised') as is_possible
    from {{ ref('attendance_codes') }}
),

births as (
    select
        child_id,
        date_of_birth
    from {{ ref('int_persons__survivors') }}
),

classed as (
    select
        records.child_id,
        records.record_key,
        records.is_confident,
        counts.is_this_academic_year,
        counts.is_sixth_half_term,
        counts.session_count,
        counts.last_session_date,
        coalesce(codes.is_possible, false) as is_possible,
        codes.statistical_class,
        {{ age_at_school_year(
            'births.date_of_birth', 'year(' ~ academic_year_start() ~ ') - (not counts.is_this_academic_year)::integer'
        ) }} as age_years
    from counts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join births on records.child_id = births.child_id
    left join codes using (attendance_code)
),

countable as (
    select * from classed
    where not coalesce(is_sixth_half_term and age_years = 15, false)
),

windowed as (
    select
        *,
        'academic_year' as attendance_window,
        {{ academic_year_start() }} as window_start
    from countable
    where is_this_academic_year
    union all
    select
        *,
        'last_12_months',
        ({{ as_at() }} - interval 12 month + interval 1 day)::date
    from countable
),

summed as (
    select
        child_id,
        attendance_window,
        window_start,
        max(last_session_date) filter (where is_possible) as last_session_date,
        bool_and(is_confident) as is_confident,
        bool_and({{ is_of_measured_age('age_years') }}) as is_of_measured_age,
        coalesce(sum(session_count) filter (where is_possible), 0)::integer as possible_session_count,
        coalesce(sum(session_count) filter (
            where statistical_class = 'authorised'
        ), 0)::integer as authorised_session_count,
        coalesce(sum(session_count) filter (
            where statistical_class = 'unauthorised'
        ), 0)::integer as unauthorised_session_count,
        -- Of thousands of marks the records, not the lines.
        list_transform(
            list_sort(array_agg(distinct record_key)),
            lambda k: struct_pack(
                record_key := k, source_table := 'marks', delivery_id := null::varchar, line := null::bigint
            )
        ) as origins
    from windowed
    group by child_id, attendance_window, window_start
)

select * from summed
