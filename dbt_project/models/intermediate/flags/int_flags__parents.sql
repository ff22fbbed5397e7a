-- That a parent is in prison or came out of it; never why. Limited-access records do not reach a flag. A release that
-- was only expected has not happened.
with parents as (
    select
        members.child_id,
        members.related_child_id as adult_id,
        members.relationship,
        members.origins
    from {{ ref('int_families__members') }} as members
    inner join {{ ref('int_families__adults') }} as adults
        on members.child_id = adults.child_id and members.related_child_id = adults.adult_id
    where
        regexp_matches(members.relationship, 'mother|father|parent|carer|guardian')
        and not contains(members.relationship, 'grand')
),

-- Several sources may call one adult by several words: father, parent. The adult is told once, by the plainest.
named as (
    select
        child_id,
        adult_id,
        arg_min(relationship, [contains(relationship, 'parent')::varchar, relationship]) as relationship,
        {{ origins_in('origins') }} as origins
    from parents
    group by child_id, adult_id
),

states as (
    select
        adult_id,
        case
            when is_held then 'parent_in_custody'
            when release_date >= {{ as_at() }} - {{ var('release_window_days') }} then 'parent_released'
        end as flag,
        coalesce(release_date, since) as since,
        release_date,
        expected_release_date,
        source,
        origin
    from {{ ref('int_custody__adults') }}
),

worded as (
    select
        named.child_id,
        states.flag,
        states.since,
        states.source,
        list_prepend(states.origin, named.origins) as origins,
        named.relationship || case states.flag
            when 'parent_in_custody'
                then
                    ' in custody' || case
                        when states.expected_release_date is null then ', no release date given'
                        when states.expected_release_date <= {{ as_at() }}
                            then ', release was due ' || states.expected_release_date || ', none recorded'
                        else ', release expected ' || states.expected_release_date
                    end
            else ' released ' || states.release_date
        end as fact
    from states
    inner join named using (adult_id)
    where states.flag is not null
),

flags as (
    select
        child_id,
        flag,
        min(since) as since,
        case flag
            when 'parent_in_custody' then 'A parent or carer is in prison'
            else 'A parent or carer left prison in the last {{ var("release_window_days") }} days'
        end as rule_in_words,
        array_to_string(list_sort(array_agg(distinct fact)), '; ') as facts,
        array_to_string(list_sort(array_agg(distinct source)), ', ') as source,
        {{ origins_in('origins') }} as origins
    from worded
    group by child_id, flag
)

select * from flags
