-- A child's sessions by month, as a picture shows them: what a register says of each, by class.
with counts as (
    select * from {{ ref('int_attendance__by_code') }}
),

codes as (
    select
        code as attendance_code,
        statistical_class
    from {{ ref('attendance_codes') }}
),

months as (
    select
        records.child_id,
        counts.session_month,
        coalesce(sum(counts.session_count) filter (
            where codes.statistical_class in ('present', 'approved_activity')
        ), 0)::integer as present_session_count,
        coalesce(sum(counts.session_count) filter (
            where codes.statistical_class = 'authorised'
        ), 0)::integer as authorised_session_count,
        coalesce(sum(counts.session_count) filter (
            where codes.statistical_class = 'unauthorised'
        ), 0)::integer as unauthorised_session_count,
        -- A planned closure is a holiday, and D is told by the other school: neither kept the child away.
        coalesce(sum(counts.session_count) filter (
            where codes.statistical_class = 'not_possible' and counts.attendance_code not in ('#', 'D')
        ), 0)::integer as not_possible_session_count,
        max(counts.last_session_date) as last_session_date,
        bool_and(records.is_confident) as is_confident
    from counts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join codes using (attendance_code)
    group by records.child_id, counts.session_month
),

attendance_months as (
    select
        months.*,
        'education_attendance' as source
    from months
    semi join {{ ref('int_persons__children') }} using (child_id)
    where
        months.present_session_count + months.authorised_session_count + months.unauthorised_session_count
        + months.not_possible_session_count > 0
)

select * from attendance_months
