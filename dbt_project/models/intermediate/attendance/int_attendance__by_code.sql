-- The one pass over the marks: counts by record and code, so that everything after it works on a small table.
with marks as (
    select * from {{ ref('stg_education__marks') }}
    where
        session_date <= {{ as_at() }}
        and session_date > {{ as_at() }} - interval 12 month
),

counts as (
    select
        record_key,
        attendance_code,
        session_date >= {{ academic_year_start() }} as is_this_academic_year,
        count(*) as session_count,
        max(session_date) as last_session_date
    from marks
    group by all
)

select * from counts
