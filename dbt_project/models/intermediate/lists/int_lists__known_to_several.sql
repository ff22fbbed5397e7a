-- Who is counted is counted by services, never by weight: a service works with the child or the family now, or not.
-- The conference on domestic abuse is left out: its marker is read on the child's page alone.
with children as (
    select
        child_id,
        age_years,
        is_unborn
    from {{ ref('int_persons__children') }}
    where is_unborn or age_years < 1 or age_years between 13 and 17
),

working as (
    select
        spells.child_id,
        feeds.service,
        min(feeds.label) as label,
        bool_or(records.is_confident) as is_confident,
        min(spells.since) as since,
        list_distinct(array_agg(spells.feed)) as feeds
    from {{ ref('int_involvements__by_feed') }} as spells
    inner join {{ ref('int_feeds__states') }} as feeds using (feed)
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        spells.until is null
        and not coalesce(spells.is_withheld, false)
        and feeds.service in (
            'social_care', 'early_help', 'police', 'youth_justice', 'probation', 'prison', 'housing'
        )
    group by spells.child_id, feeds.service
),

missing as (
    select
        record_key,
        start_date as risk_date
    from {{ ref('stg_case_system__missing_episodes') }}
    union all
    select
        record_key,
        reported_at::date
    from {{ ref('stg_police__missing_episodes') }}
    union all
    select
        record_key,
        event_date
    from {{ ref('stg_declared__events') }}
    where event_type = 'police_missing_episode'
),

risks as (
    select
        records.child_id,
        records.feed,
        records.is_confident,
        missing.risk_date,
        'reported missing' as words
    from missing
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    union all
    select
        child_id,
        source as feed,
        is_confident,
        event_date as risk_date,
        'a risk of exploitation' as words
    from {{ ref('int_chronology__events') }}
    where event_type = 'police_exploitation_risk'
),

-- What police and social care both tell of one day counts once.
outside as (
    select
        child_id,
        bool_or(is_confident) as is_confident,
        max(risk_date) as last_date,
        arg_max(words, [risk_date::varchar, words]) as words,
        list_distinct(array_agg(feed)) as feeds
    from risks
    where risk_date <= {{ as_at() }} and risk_date > ({{ as_at() }} - to_months(12))::date
    group by child_id
),

known as (
    select
        child_id,
        count(*) filter (where is_confident) >= {{ var('several_services') }} as is_confident,
        count(*) as service_count,
        max(since) filter (where is_confident) as last_joined,
        max(since) as last_seen_joined,
        string_agg(label, ', ' order by label) filter (where is_confident) as labels,
        coalesce(flatten(array_agg(feeds) filter (where is_confident)), flatten(array_agg(feeds))) as feeds
    from working
    group by child_id
    having count(*) >= {{ var('several_services') }}
),

babies as (
    select
        'baby_known_to_several' as list_id,
        known.child_id,
        coalesce(known.last_joined, known.last_seen_joined) as since,
        case when children.is_unborn then 'not born yet' else 'under one year' end
        || '; working with the family now: ' || coalesce(known.labels, 'by weak links alone') as facts,
        list_sort(list_distinct(known.feeds)) as feeds,
        known.is_confident
    from known
    inner join children using (child_id)
    where children.is_unborn or children.age_years < 1
),

teenagers as (
    select
        'teenager_at_risk_outside' as list_id,
        known.child_id,
        outside.last_date as since,
        outside.words || ', last on ' || outside.last_date || '; working with the child or the family now: '
        || coalesce(known.labels, 'by weak links alone') as facts,
        list_sort(list_distinct(list_concat(known.feeds, outside.feeds))) as feeds,
        known.is_confident and outside.is_confident as is_confident
    from known
    inner join children using (child_id)
    inner join outside using (child_id)
    where children.age_years between 13 and 17
),

entries as (
    select * from babies
    union all
    select * from teenagers
)

select * from entries
