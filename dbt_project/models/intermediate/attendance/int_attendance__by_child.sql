-- Codes to classes, enrolments to children. Code D (attending the other school of a dual registration) is not a
-- possible session, so that adding over enrolments counts each session once (DfE, pupil absence methodology).
with counts as (
    select * from {{ ref('int_attendance__by_code') }}
),

codes as (
    select
        code as attendance_code,
        statistical_class
    from {{ ref('attendance_codes') }}
),

classed as (
    select
        records.child_id,
        records.is_confident,
        counts.is_this_academic_year,
        counts.session_count,
        counts.last_session_date,
        coalesce(codes.statistical_class, 'missing') as statistical_class
    from counts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join codes using (attendance_code)
),

windowed as (
    select
        *,
        'academic_year' as attendance_window,
        {{ academic_year_start() }} as window_start
    from classed
    where is_this_academic_year
    union all
    select
        *,
        'last_12_months',
        ({{ as_at() }} - interval 12 month + interval 1 day)::date
    from classed
),

summed as (
    select
        child_id,
        attendance_window,
        window_start,
        max(last_session_date) as last_session_date,
        bool_and(is_confident) as is_confident,
        coalesce(sum(session_count) filter (
            where statistical_class in ('present', 'approved_activity', 'authorised', 'unauthorised')
        ), 0)::integer as possible_session_count,
        coalesce(sum(session_count) filter (
            where statistical_class = 'authorised'
        ), 0)::integer as authorised_session_count,
        coalesce(sum(session_count) filter (
            where statistical_class = 'unauthorised'
        ), 0)::integer as unauthorised_session_count
    from windowed
    group by child_id, attendance_window, window_start
)

select * from summed
