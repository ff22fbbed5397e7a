-- The children of each list, with the facts and how old the oldest feed is that they rest on. What rests on a weak link
-- is counted in `lists` and stands here for nobody to see. Team and district, which locate a child, are withheld from a
-- child who must not be found.
with told as (
    select * from {{ ref('int_lists__entries') }}
    where is_confident
),

lists as (
    select
        list_id,
        title,
        rule_in_words,
        owner
    from {{ ref('early_warning_lists') }}
),

children as (
    select
        child_id,
        is_restricted,
        postcode
    from {{ ref('int_persons__children') }}
),

-- Who works with the child now: social care before early help.
teams as (
    select
        spells.child_id,
        arg_min(spells.team, [feeds.precedence, -epoch(coalesce(spells.since, date '1900-01-01')), 0]) as team
    from {{ ref('int_involvements__by_feed') }} as spells
    inner join {{ ref('int_feeds__states') }} as feeds using (feed)
    where
        feeds.service in ('social_care', 'early_help')
        and spells.team is not null
        and spells.until is null
        and not coalesce(spells.is_withheld, false)
    group by spells.child_id
),

sources as (
    select
        list_id,
        child_id,
        unnest(feeds) as feed
    from told
),

freshness as (
    select
        sources.list_id,
        sources.child_id,
        min(states.last_delivered_at) as as_of,
        bool_or(states.is_late) as is_late
    from sources
    inner join {{ ref('int_feeds__states') }} as states using (feed)
    group by sources.list_id, sources.child_id
),

entries as (
    select
        told.list_id,
        lists.title,
        told.child_id,
        told.since,
        told.facts,
        lists.rule_in_words,
        array_to_string(told.feeds, ', ') as source,
        freshness.as_of,
        coalesce(freshness.is_late, false) as is_late,
        lists.owner,
        case when children.is_restricted then 'withheld' else coalesce(teams.team, 'no team') end as team,
        case
            when children.is_restricted then 'withheld'
            else coalesce(nullif(split_part(children.postcode, ' ', 1), ''), 'not recorded')
        end as district
    from told
    inner join lists using (list_id)
    inner join children using (child_id)
    left join teams using (child_id)
    left join freshness using (list_id, child_id)
)

select * from entries
