-- Every child has a row for every service, and every row says why it is as it is: silence is one of six states, never
-- an empty cell.
with children as (
    select
        child_id,
        age_years,
        is_unborn,
        is_restricted
    from {{ ref('int_persons__children') }}
),

services as (
    select * exclude (precedence, is_for_returns) from {{ ref('int_feeds__states') }}
),

known_in_feed as (
    select
        child_id,
        feed,
        min(record_key) as record_key
    from {{ ref('int_persons__records') }}
    group by child_id, feed
),

families as (
    select distinct child_id from {{ ref('int_families__adults') }}
),

spells as (
    select * from {{ ref('int_involvements__by_service') }}
),

facts as (
    select
        children.*,
        services.*,
        spells.since,
        spells.until,
        spells.contact_name,
        spells.contact_phone,
        spells.team,
        coalesce(spells.record_key, known_in_feed.record_key) as record_key,
        coalesce(spells.is_withheld, false) as is_withheld,
        case
            when spells.child_id is not null and spells.until is null then 'current'
            when spells.child_id is not null or known_in_feed.record_key is not null then 'historic'
            when services.service = 'education' and (children.is_unborn or children.age_years not between 4 and 15)
                then 'not_covered'
            when services.service = 'probation' and families.child_id is null then 'not_covered'
            else 'no_record_found'
        end as last_known_state
    from children
    cross join services
    left join spells using (child_id, service)
    left join known_in_feed using (child_id, feed)
    left join families using (child_id)
),

states as (
    select
        *,
        case
            when not is_shared or is_withheld then 'not_shared'
            when not is_covered then 'not_covered'
            when is_late and last_known_state != 'not_covered' then 'late'
            else last_known_state
        end as state
    from facts
),

involvements as (
    select
        child_id,
        service,
        label as service_label,
        state,
        case state
            when 'not_shared' then 'no agreement in force lets this be shown'
            when
                'late'
                then 'no delivery in the time promised; the last one said: ' || replace(last_known_state, '_', ' ')
            when 'current' then 'working with the child or the family now'
            when 'historic'
                then
                    case
                        when since is null then 'registered, no work recorded' else
                            'worked with the child or the family'
                    end
            when 'no_record_found' then 'asked, and no record was found'
            else
                case
                    when not is_covered then 'this service sends no data to the hub'
                    when service = 'probation' then 'no adult of the family is known to the hub'
                    else 'the feed holds pupils on a roll; this child is outside school age'
                end
        end as state_in_words,
        case when state not in ('not_shared', 'not_covered') then last_known_state end as last_known_state,
        case when state in ('current', 'historic', 'late') then since end as since,
        case when state in ('current', 'historic', 'late') then until end as until,
        -- A team or a phone number locates a child: not for a restricted record.
        case when state in ('current', 'historic', 'late') and not is_restricted then contact_name end as contact_name,
        case when state in ('current', 'historic', 'late') and not is_restricted then contact_phone end
            as contact_phone,
        case when state in ('current', 'historic', 'late') and not is_restricted then team end as team,
        is_restricted as is_contact_withheld,
        feed as source,
        case when state in ('current', 'historic', 'late') then record_key end as record_key,
        case when state != 'not_shared' then last_delivered_at end as as_of
    from states
)

select * from involvements
