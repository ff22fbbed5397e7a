with absent as (
    select * from {{ ref('int_attendance__by_child') }}
    where
        attendance_window = 'academic_year'
        and is_confident
        and is_of_measured_age
        and possible_session_count >= {{ var('min_possible_sessions') }}
        and (authorised_session_count + unauthorised_session_count) * 2 >= possible_session_count
),

-- Without the case system nobody can say that there is no social worker.
case_system as (
    select distinct service from {{ ref('int_feeds__states') }}
    where service = 'social_care' and is_shared and is_covered
),

with_social_worker as (
    select child_id from {{ ref('int_persons__open_work') }}
    where level in ('child_in_need', 'child_protection', 'looked_after')
),

flags as (
    select
        absent.child_id,
        'severely_absent_without_social_worker' as flag,
        absent.window_start as since,
        'Absent from half or more of the possible sessions of this academic year (at least '
        || {{ var('min_possible_sessions') }} || '), and no open case with children''s social care' as rule_in_words,
        'absent ' || (absent.authorised_session_count + absent.unauthorised_session_count) || ' of '
        || absent.possible_session_count || ' possible sessions up to ' || absent.last_session_date as facts,
        'education_attendance, case_system' as source,
        absent.origins
    from absent
    cross join case_system
    anti join with_social_worker using (child_id)
)

select * from flags
