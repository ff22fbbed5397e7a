-- Absence as the attendance flag reads it, whatever the link: who rests on a weak one is counted and not listed. A
-- social worker whose case hangs on a weak link may be another child's: that child is not listed either.
with absent as (
    select * from {{ ref('int_attendance__by_child') }}
    where
        attendance_window = 'academic_year'
        and is_of_measured_age
        and possible_session_count >= {{ var('min_possible_sessions') }}
        and (authorised_session_count + unauthorised_session_count) * 2 >= possible_session_count
),

with_social_worker as (
    select
        child_id,
        bool_or(is_confident) as is_sure
    from {{ ref('int_persons__open_work') }}
    where level in ('child_in_need', 'child_protection', 'looked_after')
    group by child_id
),

assessments as (
    select
        record_key,
        start_date
    from {{ ref('stg_early_help__assessments') }}
    union all
    select
        record_key,
        start_date
    from {{ ref('stg_case_system__assessments') }}
),

assessed as (
    select
        records.child_id,
        max(assessments.start_date) as last_date,
        arg_max(records.feed, [assessments.start_date::varchar, records.feed]) as feed
    from assessments
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where records.is_confident and assessments.start_date <= {{ as_at() }}
    group by records.child_id
),

early_help as (
    select bool_or(is_shared and is_covered) as is_told from {{ ref('int_feeds__states') }}
    where feed = 'early_help'
),

entries as (
    select
        'severely_absent_no_social_worker' as list_id,
        absent.child_id,
        absent.window_start as since,
        'absent ' || (absent.authorised_session_count + absent.unauthorised_session_count) || ' of '
        || absent.possible_session_count || ' possible sessions up to ' || absent.last_session_date || '; '
        || case
            when assessed.child_id is not null then 'assessed for Family Help, last begun on ' || assessed.last_date
            when coalesce(early_help.is_told, false) then 'no assessment for Family Help found'
            else 'whether assessed for Family Help is not known, since early help is not shared'
        end as facts,
        list_sort(list_distinct(
            ['education_attendance', 'case_system']
            || case when early_help.is_told then ['early_help'] else [] end
            || case when assessed.feed is null then [] else [assessed.feed] end
        )) as feeds,
        absent.is_confident and with_social_worker.child_id is null as is_confident
    from absent
    left join with_social_worker using (child_id)
    left join assessed using (child_id)
    left join early_help on true
    where not coalesce(with_social_worker.is_sure, false)
)

select * from entries
