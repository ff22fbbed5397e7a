-- Presence is not offending: the words say how a child was linked only where the child was subject, present or victim.
with links as (
    select * from {{ ref('stg_police__links') }}
    qualify row_number() over (
        partition by event_id, record_key
        order by
            case role_code when 'CHILD_SUBJECT' then 1 when 'VICTIM' then 2 when 'CHILD_IN_HOUSEHOLD' then 3 else 4 end,
            role_code
    ) = 1
),

events as (
    select
        links.record_key,
        events.occurred_at::date as event_date,
        'police_' || lower(events.event_type_code) as event_type,
        concat(
            coalesce(types.meaning, 'Police recorded an event'),
            case links.role_code
                when 'CHILD_SUBJECT' then ', about this child'
                when 'CHILD_IN_HOUSEHOLD' then ', child of the household'
                when 'VICTIM' then ', child as victim'
            end,
            case when links.is_child_present then ', present' end
        ) as summary,
        events.delivery_id,
        events.line
    from links
    inner join {{ ref('stg_police__events') }} as events using (event_id)
    left join {{ ref('police_event_types') }} as types using (event_type_code)
)

select * from events
