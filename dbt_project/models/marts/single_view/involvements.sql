-- Every child has a row for every service, and every row says why it is as it is: silence is one of six states, never
-- an empty cell. Where several feeds speak for a service, the one that says the most stands.
with children as (
    select
        child_id,
        age_years,
        is_unborn,
        is_restricted
    from {{ ref('int_persons__children') }}
),

feeds as (
    select * exclude (is_for_returns) from {{ ref('int_feeds__states') }}
    where service is not null
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

withheld as (
    select
        child_id,
        feed,
        true as is_more_detrimental
    from {{ ref('stg_identity__withheld_feeds') }}
),

spells as (
    select * from {{ ref('int_involvements__by_feed') }}
),

facts as (
    select
        children.*,
        feeds.*,
        spells.since,
        spells.until,
        spells.contact_name,
        spells.contact_phone,
        spells.team,
        coalesce(spells.record_key, known_in_feed.record_key) as record_key,
        spells.delivery_id,
        spells.line,
        coalesce(spells.is_withheld, false) as is_withheld,
        coalesce(withheld.is_more_detrimental, false) as is_more_detrimental,
        case
            when spells.child_id is not null and spells.until is null then 'current'
            when spells.child_id is not null then 'historic'
            -- A service of adults may hold a child's record because an adult named the child: no work with it.
            when known_in_feed.record_key is not null and not coalesce(feeds.is_through_family, false) then 'historic'
            when
                feeds.first_age is not null
                and (children.is_unborn or children.age_years not between feeds.first_age and feeds.last_age)
                then 'not_covered'
            when feeds.is_through_family and families.child_id is null then 'not_covered'
            else 'no_record_found'
        end as last_known_state
    from children
    cross join feeds
    left join spells using (child_id, feed)
    left join known_in_feed using (child_id, feed)
    left join families using (child_id)
    left join withheld using (child_id, feed)
),

states as (
    select
        *,
        case
            when not is_shared or is_withheld or is_more_detrimental then 'not_shared'
            when not is_covered then 'not_covered'
            when is_late and last_known_state != 'not_covered' then 'late'
            else last_known_state
        end as state
    from facts
),

worded as (
    select
        *,
        case state
            when 'not_shared'
                then
                    case
                        when is_shared and is_more_detrimental then 'not shared: more detrimental to the child'
                        else 'no agreement in force lets this be shown'
                    end
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
                    when is_through_family then 'no adult of the family is known to the hub'
                    else
                        'this service knows children from ' || first_age || ' to ' || last_age
                        || ' years; this child is outside these ages'
                end
        end as words,
        row_number() over (
            partition by child_id, service
            order by
                case
                    when state = 'current' then 1
                    when state = 'late' and last_known_state = 'current' then 2
                    when state = 'historic' then 3
                    when state = 'late' and last_known_state = 'historic' then 4
                    when state = 'not_shared' and is_shared then 5
                    when state = 'no_record_found' then 6
                    when state = 'late' then 7
                    when state = 'not_shared' then 8
                    else 9
                end,
                precedence,
                feed
        ) as place,
        state in ('current', 'historic', 'late') as is_told,
        -- A team or a phone number locates a child: not for a restricted record.
        state in ('current', 'historic', 'late') and not is_restricted as is_contact_told
    from states
),

-- Feeds of the service that could not be asked, though they once delivered: their silence is no answer.
unheard as (
    select
        child_id,
        service,
        string_agg('; ' || feed || ': ' || words, '' order by precedence, feed) as words
    from worded
    where place > 1 and is_covered and state in ('late', 'not_shared')
    group by child_id, service
),

involvements as (
    select
        worded.child_id,
        worded.service,
        worded.label as service_label,
        worded.state,
        concat(worded.words, unheard.words) as state_in_words,
        case when worded.state not in ('not_shared', 'not_covered') then worded.last_known_state end
            as last_known_state,
        case when worded.is_told then worded.since end as since,
        case when worded.is_told then worded.until end as until,
        case when worded.is_contact_told then worded.contact_name end as contact_name,
        case when worded.is_contact_told then worded.contact_phone end as contact_phone,
        case when worded.is_contact_told then worded.team end as team,
        worded.is_restricted as is_contact_withheld,
        worded.feed as source,
        case when worded.is_told then worded.record_key end as record_key,
        case when worded.is_told then worded.delivery_id end as delivery_id,
        case when worded.is_told then worded.line end as line,
        case when worded.state != 'not_shared' then worded.last_delivered_at end as as_of
    from worded
    left join unheard using (child_id, service)
    where worded.place = 1
)

select * from involvements
