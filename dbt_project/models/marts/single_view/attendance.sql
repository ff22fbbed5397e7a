with counted as (
    select
        *,
        'education_attendance' as source
    from {{ ref('int_attendance__by_child') }}
    union all
    select
        *,
        'school_census_attendance'
    from {{ ref('int_attendance__census_term') }}
    union all
    select
        *,
        'ctf'
    from {{ ref('int_attendance__transferred_year') }}
),

children as (
    select child_id from {{ ref('int_persons__children') }}
),

measured as (
    select
        counted.*,
        counted.authorised_session_count + counted.unauthorised_session_count as absent_session_count,
        counted.possible_session_count >= {{ var('min_possible_sessions') }}
        and counted.is_of_measured_age as is_measured
    from counted
    inner join children using (child_id)
),

attendance as (
    select
        child_id,
        attendance_window,
        window_start,
        last_session_date,
        possible_session_count,
        absent_session_count,
        authorised_session_count,
        unauthorised_session_count,
        -- Integers at the 10 and 50 per cent edges; no label on too few sessions, nor outside the ages of the measure.
        case when is_measured then absent_session_count * 10 >= possible_session_count end
            as is_persistently_absent,
        case when is_measured then absent_session_count * 2 >= possible_session_count end
            as is_severely_absent,
        is_confident,
        source
    from measured
)

select * from attendance
