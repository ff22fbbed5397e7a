-- Presence is not offending: told is what happened to a child (subject, victim, of the household, or held in custody),
-- never what somebody did. Who stands in an event as perpetrator, carer or witness has no line of it, though the record
-- is that of a young person with an open case.
with links as (
    select links.*
    from {{ ref('stg_police__links') }} as links
    inner join {{ ref('stg_police__events') }} as events using (event_id)
    where
        links.role_code in ('CHILD_SUBJECT', 'VICTIM', 'CHILD_IN_HOUSEHOLD')
        or (links.role_code = 'SUSPECT' and events.event_type_code = 'CUSTODY_CHILD')
    qualify row_number() over (
        partition by links.event_id, links.record_key
        order by
            case links.role_code
                when 'CHILD_SUBJECT' then 1 when 'VICTIM' then 2 when 'CHILD_IN_HOUSEHOLD' then 3 else 4
            end,
            links.role_code asc,  -- DuckDB 1.5.5 fails on the expression alone where no police feed delivers
            links.is_child_present desc nulls last
    ) = 1
),

custody as (
    select
        event_id,
        record_key,
        bool_or(is_overnight) as is_overnight,
        bool_or(is_transfer_requested) as is_transfer_requested,
        bool_or(is_transfer_made) as is_transfer_made
    from {{ ref('stg_police__custody') }}
    group by event_id, record_key
),

codes as (
    select * from {{ ref('codes') }}
),

events as (
    select
        links.record_key,
        events.occurred_at::date as event_date,
        'police_' || lower(events.event_type_code) as event_type,
        concat(
            coalesce(types.meaning, 'Police recorded an event'),
            ': ' || exploitation.meaning,
            case when links.role_code != 'SUSPECT' then ', ' || roles.meaning end,
            case when links.is_child_present and links.role_code != 'SUSPECT' then ', present' end,
            case when links.is_welfare_check_made then ', seen in a welfare check' end,
            ', ' || replace(lower(missing.risk_level_code), '_', ' ') || case
                when missing.risk_level_code != 'NO_APPARENT_RISK' then ' risk' else ''
            end,
            case
                when missing.event_id is null then null
                when missing.found_at::date <= {{ as_at() }} then ', found on ' || missing.found_at::date
                else ', not found yet'
            end,
            case when custody.is_overnight then ', held overnight' end,
            case
                when custody.is_transfer_made then ', moved to a bed of the council'
                when custody.is_transfer_requested then ', the council was asked for a bed'
            end
        ) as summary,
        'events' as source_table,
        events.delivery_id,
        events.line
    from links
    inner join {{ ref('stg_police__events') }} as events using (event_id)
    left join {{ ref('stg_police__missing_episodes') }} as missing
        on links.event_id = missing.event_id and links.record_key = missing.record_key
    left join custody on links.event_id = custody.event_id and links.record_key = custody.record_key
    left join codes as types on types.code_list = 'police_event' and events.event_type_code = types.code
    left join codes as roles on roles.code_list = 'police_role' and links.role_code = roles.code
    left join codes as exploitation
        on exploitation.code_list = 'police_exploitation' and events.exploitation_type_code = exploitation.code
),

told as (
    select
        *,
        summary as guarded_summary  -- codes and dates alone: no place
    from events
)

select * from told
