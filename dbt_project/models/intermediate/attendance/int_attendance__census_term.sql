-- The term that the newest school census tells of. Where a school's totals and its reasons disagree the greater counts:
-- absence that was given a reason was absence, and totals without reasons are "unclassified" (DfE, Pupil absence
-- statistics: methodology, which takes the totals where the reasons add up to less).
with terms as (
    select
        terms.*,
        records.child_id,
        records.is_confident
    from {{ ref('stg_school_census__terms') }} as terms
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where terms.census_date <= {{ as_at() }}
),

newest as (
    -- Within a calendar year the spring census comes first, then summer, then autumn.
    select * from terms
    qualify rank() over (
        partition by child_id
        order by census_year desc, list_position(['SPR', 'SUM', 'AUT'], census_term) desc
    ) = 1
),

reasons as (
    select
        reasons.record_key,
        reasons.census_year,
        reasons.census_term,
        sum(reasons.session_count) filter (where codes.statistical_class = 'authorised') as authorised_session_count,
        sum(reasons.session_count) filter (where codes.statistical_class = 'unauthorised') as unauthorised_session_count
    from {{ ref('stg_school_census__reasons') }} as reasons
    inner join {{ ref('attendance_codes') }} as codes on reasons.attendance_code = codes.code
    group by all
),

births as (
    select
        child_id,
        date_of_birth
    from {{ ref('int_persons__survivors') }}
),

enrolments as (
    select
        newest.child_id,
        newest.is_confident,
        newest.census_term,
        newest.census_year,
        {{ origin('terms', 'newest') }} as origin,
        newest.possible_session_count,
        greatest(newest.authorised_session_count, reasons.authorised_session_count, 0) as authorised_session_count,
        greatest(newest.unauthorised_session_count, reasons.unauthorised_session_count, 0)
            as unauthorised_session_count,
        {{ age_at_school_year('births.date_of_birth', 'newest.census_year - 1') }} as age_years
    from newest
    left join reasons using (record_key, census_year, census_term)
    left join births on newest.child_id = births.child_id
),

-- A return of more sessions absent than possible tells nothing.
summed as (
    select
        child_id,
        'census_term' as attendance_window,
        case census_term
            when 'SPR' then make_date(census_year - 1, 8, 1)
            when 'SUM' then make_date(census_year, 1, 1)
        end as window_start,
        null::date as last_session_date,
        bool_and(is_confident) as is_confident,
        bool_and({{ is_of_measured_age('age_years') }}) as is_of_measured_age,
        sum(possible_session_count)::integer as possible_session_count,
        sum(authorised_session_count)::integer as authorised_session_count,
        sum(unauthorised_session_count)::integer as unauthorised_session_count,
        {{ origins_of('origin') }} as origins
    from enrolments
    where authorised_session_count + unauthorised_session_count <= possible_session_count
    group by child_id, census_term, census_year
)

select * from summed
