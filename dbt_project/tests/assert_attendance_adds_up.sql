-- Detects: absence that is more than the possible sessions, or a year to date beyond the twelve months around it.
-- A failure means: a mark was put in two classes, or a session was counted twice.
-- Returns: the child and the window.
select
    child_id,
    attendance_window
from {{ ref('attendance') }}
where
    absent_session_count > possible_session_count
    or absent_session_count != authorised_session_count + unauthorised_session_count
union all
select
    academic_year.child_id,
    academic_year.attendance_window
from {{ ref('attendance') }} as academic_year
inner join {{ ref('attendance') }} as twelve_months using (child_id)
where
    academic_year.attendance_window = 'academic_year'
    and twelve_months.attendance_window = 'last_12_months'
    and academic_year.possible_session_count > twelve_months.possible_session_count
