-- What the programme counts, one shape for every measure, so that one query counts them all and one set of rules
-- protects what is published.
with people as (
    select child_id from {{ ref('int_programme__people') }}
),

needs as (
    select
        'need' as measure,
        factors.child_id,
        grouped.need as code,
        null as other_code,
        1 as events
    from {{ ref('int_census__assessment_factors') }} as factors
    inner join {{ ref('assessment_needs') }} as grouped using (assessment_factor_code)
    group by factors.child_id, grouped.need
),

factors as (
    select
        'factor' as measure,
        child_id,
        assessment_factor_code as code,
        null as other_code,
        1 as events
    from {{ ref('int_census__assessment_factors') }}
    group by child_id, assessment_factor_code
),

referrals as (
    select
        'referral' as measure,
        referrals.child_id,
        coalesce(reasons.reason, 'not stated') as code,
        null as other_code,
        count(distinct referrals.canonical_referral_id) as events
    from {{ ref('int_census__referrals') }} as referrals
    left join {{ ref('referral_reasons') }} as reasons using (primary_need_code)
    where referrals.referral_date between {{ period_start() }} and {{ as_at() }}
    group by referrals.child_id, coalesce(reasons.reason, 'not stated')
),

harms as (
    select
        'harm' as measure,
        events.child_id,
        grouped.harm as code,
        null as other_code,
        count(*) as events
    from {{ ref('int_chronology__events') }} as events
    inner join {{ ref('harm_events') }} as grouped using (event_type)
    where events.event_date between {{ period_start() }} and {{ as_at() }}
    group by events.child_id, grouped.harm
),

returns_home as (
    select
        'return home' as measure,
        child_id,
        outcome as code,
        left_care as other_code,
        count(*) as events
    from {{ ref('int_programme__returns_home') }}
    group by child_id, outcome, left_care
),

moves as (
    select
        'move ' || quarters.last_day as measure,
        began.child_id,
        began.level as code,
        ended.level as other_code,
        1 as events
    from {{ ref('int_programme__quarters') }} as quarters
    inner join {{ ref('int_programme__levels') }} as began on quarters.first_day - 1 = began.day
    inner join {{ ref('int_programme__levels') }} as ended
        on began.child_id = ended.child_id and quarters.last_day = ended.day
),

levels as (
    select
        'level' as measure,
        child_id,
        arg_max(level, day) as code,
        null as other_code,
        1 as events
    from {{ ref('int_programme__levels') }}
    group by child_id
),

told as (
    select * from needs
    union all
    select * from factors
    union all
    select * from referrals
    union all
    select * from harms
    union all
    select * from returns_home
    union all
    select * from moves
    union all
    select * from levels
),

occurrences as (
    select
        told.measure,
        told.child_id,
        told.code,
        told.other_code,
        told.events::bigint as events
    from told
    inner join people using (child_id)
)

select * from occurrences
