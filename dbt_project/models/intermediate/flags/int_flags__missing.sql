with episodes as (
    select
        record_key,
        reported_at::date as start_date,
        found_at::date as end_date,
        'missing' as source_table,
        delivery_id,
        line
    from {{ ref('stg_police__missing_episodes') }}
    union all
    select
        record_key,
        start_date,
        end_date,
        'ssd_missing',
        delivery_id,
        line
    from {{ ref('stg_case_system__missing_episodes') }}
    union all
    -- Of another force, whose contract declares the report alone.
    select
        record_key,
        event_date as start_date,
        event_date as end_date,
        source_table,
        delivery_id,
        line
    from {{ ref('stg_declared__events') }}
    where event_type = 'police_missing_episode'
),

-- Police and social care record the same night: a start date counts once.
of_children as (
    select
        records.child_id,
        episodes.start_date,
        bool_and(coalesce(episodes.end_date > {{ as_at() }}, true)) as is_open,
        list_sort(array_agg(distinct records.feed)) as feeds,
        {{ origins_of(origin('episodes.source_table', 'episodes')) }} as origins
    from episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        records.is_confident
        and episodes.start_date <= {{ as_at() }}
        and episodes.start_date > {{ as_at() }} - {{ var('missing_window_days') }}
    group by records.child_id, episodes.start_date
),

flags as (
    select
        child_id,
        'missing_recently' as flag,
        min(start_date) as since,
        'Missing at least once in the last {{ var("missing_window_days") }} days' as rule_in_words,
        count(*) || ' missing episode(s), the last on ' || max(start_date)
        || case when bool_or(is_open) then ', still missing' else '' end as facts,
        array_to_string(list_sort(list_distinct(flatten(array_agg(feeds)))), ', ') as source,
        {{ origins_in('origins') }} as origins
    from of_children
    group by child_id
)

select * from flags
