-- Rules that count events of one type inside a window, over the chronology.
with events as (
    select * from {{ ref('int_chronology__events') }}
    where is_confident
),

not_brought as (
    select
        child_id,
        'not_brought_repeatedly' as flag,
        min(event_date) as since,
        'Not brought to {{ var("not_brought_limit") }} or more health appointments in the last '
        || '{{ var("not_brought_window_months") }} months' as rule_in_words,
        count(*) || ' appointments, the last on ' || max(event_date) as facts,
        array_to_string(list_sort(array_agg(distinct source)), ', ') as source,
        {{ origins_of(origin('events.source_table', 'events')) }} as origins
    from events
    where
        event_type = 'not_brought'
        and event_date > {{ as_at() }} - interval {{ var('not_brought_window_months') }} month
    group by child_id
    having count(*) >= {{ var('not_brought_limit') }}
),

encompass as (
    select
        child_id,
        'encompass_repeated' as flag,
        min(event_date) as since,
        '{{ var("encompass_limit") }} or more Operation Encompass notifications in the last '
        || '{{ var("encompass_window_months") }} months' as rule_in_words,
        count(*) || ' notifications, the last on ' || max(event_date) as facts,
        array_to_string(list_sort(array_agg(distinct source)), ', ') as source,
        {{ origins_of(origin('events.source_table', 'events')) }} as origins
    from events
    where
        event_type = 'police_op_encompass'
        and event_date > {{ as_at() }} - interval {{ var('encompass_window_months') }} month
    group by child_id
    having count(*) >= {{ var('encompass_limit') }}
),

flags as (
    select * from not_brought
    union all
    select * from encompass
)

select * from flags
