-- Plain rules with the facts they rest on. No score, and no weight between them.
with raised as (
    {%- for rule in ['attendance', 'missing', 'protection', 'clocks', 'contacts', 'parents'] %}
        select * from {{ ref('int_flags__' ~ rule) }}
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}
),

children as (
    select child_id from {{ ref('int_persons__children') }}
),

of_children as (
    select raised.* from raised
    semi join children using (child_id)
),

sources as (
    select
        child_id,
        flag,
        unnest(string_split(source, ', ')) as feed
    from of_children
),

-- A fact is as old as the oldest feed it rests on.
freshness as (
    select
        sources.child_id,
        sources.flag,
        min(states.last_delivered_at) as as_of,
        bool_or(states.is_late) as is_late
    from sources
    inner join {{ ref('int_feeds__states') }} as states using (feed)
    group by sources.child_id, sources.flag
),

flags as (
    select
        of_children.child_id,
        of_children.flag,
        of_children.since,
        of_children.rule_in_words,
        of_children.facts,
        of_children.source,
        freshness.as_of,
        freshness.is_late
    from of_children
    inner join freshness using (child_id, flag)
)

select * from flags
