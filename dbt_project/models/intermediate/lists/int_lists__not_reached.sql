-- A child whom a service should know by age and who stands in none of its lists. Silence counts only while the feed
-- speaks: of one that is late, not shared or not sent, nobody is listed. Compulsory school age begins on the first of
-- 31 March, 31 August and 31 December on or after the fifth birthday (Education Act 1996, section 8) and is taken to
-- last through the school year that began at 15. A health visitor sees a baby by its 14th day (Healthy Child
-- Programme).
with silent as (
    select feeds.feed
    from {{ ref('early_warning_feeds') }} as feeds
    left join {{ ref('int_feeds__states') }} as states using (feed)
    where
        feeds.list_id = 'not_reached'
        and feeds.part = 'expects'
        and not coalesce(states.is_shared and states.is_covered and not states.is_late, false)
),

children as (
    select
        child_id,
        date_of_birth,
        age_years,
        (date_of_birth + to_years(5))::date as fifth_birthday,
        {{ age_at_school_year('date_of_birth', 'year(' ~ academic_year_start() ~ ')') }} as school_age
    from {{ ref('int_persons__children') }}
    where date_of_birth is not null
),

of_school_age as (
    select
        child_id,
        school_age,
        case
            when fifth_birthday <= make_date(year(fifth_birthday), 3, 31) then make_date(year(fifth_birthday), 3, 31)
            when fifth_birthday <= make_date(year(fifth_birthday), 8, 31) then make_date(year(fifth_birthday), 8, 31)
            else make_date(year(fifth_birthday), 12, 31)
        end as since
    from children
),

expected as (
    select
        child_id,
        'education' as service,
        ['education_attendance', 'not_in_school'] as feeds,
        'of compulsory school age, and on no roll or list that education sends' as facts,
        ['education', 'education_welfare'] as services,
        since
    from of_school_age
    where since <= {{ as_at() }} and school_age <= 15
    union all
    select
        child_id,
        'community_health' as service,
        ['health_fhir'] as feeds,
        'under 5, and unknown to community health' as facts,
        ['community_health'] as services,
        date_of_birth + 14 as since
    from children
    where age_years < 5 and date_of_birth + 14 <= {{ as_at() }}
),

reached as (
    select
        expected.child_id,
        expected.service,
        bool_or(records.is_confident) as is_sure
    from expected
    inner join {{ ref('int_persons__records') }} as records
        on expected.child_id = records.child_id and list_contains(expected.services, records.service)
    group by expected.child_id, expected.service
),

records as (
    select
        child_id,
        record_key,
        service
    from {{ ref('int_persons__records') }}
),

pairs as (
    select
        left_record_key as record_key,
        right_record_key as other_key
    from {{ ref('stg_identity__link_pairs') }}
    where veto is null and match_probability >= {{ var('doubtful_link_from') }}
    union all
    select
        right_record_key as record_key,
        left_record_key as other_key
    from {{ ref('stg_identity__link_pairs') }}
    where veto is null and match_probability >= {{ var('doubtful_link_from') }}
),

-- The child may be another one, whom the service knows: compared, found alike, and not joined without a reviewer.
doubtful as (
    select distinct
        expected.child_id,
        expected.service
    from expected
    inner join records as own using (child_id)
    inner join pairs using (record_key)
    inner join records as other on pairs.other_key = other.record_key and expected.child_id != other.child_id
    inner join records as known
        on other.child_id = known.child_id and list_contains(expected.services, known.service)
),

entries as (
    select
        'not_reached' as list_id,
        expected.child_id,
        expected.since,
        expected.facts,
        expected.feeds,
        reached.child_id is null and doubtful.child_id is null as is_confident
    from expected
    anti join silent on list_contains(expected.feeds, silent.feed)
    left join reached using (child_id, service)
    left join doubtful using (child_id, service)
    where not coalesce(reached.is_sure, false)
)

select * from entries
