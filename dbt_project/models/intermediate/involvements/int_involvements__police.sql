-- Police have no open and closed: a contact inside the window counts as current, so does a missing episode not ended.
with linked as (
    select
        links.record_key,
        events.occurred_at,
        events.event_id,
        events.delivery_id,
        events.line,
        'events' as source_table,
        missing.event_id is not null and coalesce(missing.found_at::date > {{ as_at() }}, true) as is_open
    from {{ ref('stg_police__links') }} as links
    inner join {{ ref('stg_police__events') }} as events using (event_id)
    left join {{ ref('stg_police__missing_episodes') }} as missing
        on links.event_id = missing.event_id and links.record_key = missing.record_key
),

-- Another force needs no model of its own: the events that its contract declares are contacts too.
declared as (
    select
        record_key,
        event_date as occurred_at,
        event_type as event_id,
        delivery_id,
        line,
        source_table,
        false as is_open
    from {{ ref('stg_declared__events') }}
    where starts_with(event_type, 'police_')
),

contacts as (
    select
        records.child_id,
        events.record_key,
        events.occurred_at::date as contact_date,
        [events.occurred_at::varchar, events.event_id] as contact_order,
        events.delivery_id,
        events.line,
        events.source_table,
        events.is_open
    from (
        select * from linked
        union all
        select * from declared
    ) as events
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where events.occurred_at::date <= {{ as_at() }}
),

spells as (
    select
        child_id,
        min(contact_date) as since,
        case
            when
                not bool_or(is_open)
                and max(contact_date) < {{ as_at() }} - {{ var('contact_window_days') }}
                then max(contact_date)
        end as until,
        null as contact_name,
        null as contact_phone,
        null as team,
        record_key,
        false as is_withheld,
        arg_max(delivery_id, contact_order) as delivery_id,
        arg_max(line, contact_order) as line,
        arg_max({{ origin('contacts.source_table', 'contacts') }}, contact_order) as origin,
        arg_min({{ origin('contacts.source_table', 'contacts') }}, contact_order) as since_origin
    from contacts
    group by child_id, record_key
)

select * from spells
