-- The newest school year that a transfer file tells of: for a child who came from elsewhere, all that is known of
-- attendance before. A school may stand in the files of several; its newest word on the year counts.
with years as (
    select
        years.*,
        records.child_id,
        records.is_confident
    from {{ ref('stg_ctf__years') }} as years
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where years.school_year_end <= year({{ academic_year_start() }}) + 1
    qualify row_number() over (
        partition by records.child_id, years.school_year_end, years.laestab
        order by records.valid_from desc, years.record_key desc
    ) = 1
),

newest as (
    select * from years
    qualify rank() over (partition by child_id order by school_year_end desc) = 1
),

births as (
    select
        child_id,
        date_of_birth
    from {{ ref('int_persons__survivors') }}
),

aged as (
    select
        newest.*,
        {{ age_at_school_year('births.date_of_birth', 'newest.school_year_end - 1') }} as age_years
    from newest
    left join births using (child_id)
),

summed as (
    select
        child_id,
        'transferred_year' as attendance_window,
        make_date(school_year_end - 1, 9, 1) as window_start,
        null::date as last_session_date,
        bool_and(is_confident) as is_confident,
        bool_and({{ is_of_measured_age('age_years') }}) as is_of_measured_age,
        sum(possible_session_count)::integer as possible_session_count,
        sum(coalesce(authorised_session_count, 0))::integer as authorised_session_count,
        sum(coalesce(unauthorised_session_count, 0))::integer as unauthorised_session_count,
        {{ origins_of(origin('years', 'aged')) }} as origins
    from aged
    where
        coalesce(authorised_session_count, 0) + coalesce(unauthorised_session_count, 0) <= possible_session_count
    group by child_id, school_year_end
)

select * from summed
