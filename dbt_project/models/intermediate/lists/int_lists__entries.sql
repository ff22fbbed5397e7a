{%- set rules = [
    'severely_absent', 'not_in_school', 'parent_in_prison', 'steps', 'referred_again', 'no_group_decision',
    'package_not_paid', 'due_soon', 'known_to_several', 'not_reached'
] -%}
-- One row per list and child. Where one fact of a list rests on a sure link and another does not, the sure ones are
-- told; a child of weak ones alone is counted. A list that rules children out by a feed which is not there has nobody.
with told as (
    {%- for rule in rules %}
        select
            list_id,
            child_id,
            since,
            facts,
            feeds,
            is_confident
        from {{ ref('int_lists__' ~ rule) }}
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}
),

children as (
    select child_id from {{ ref('int_persons__children') }}
),

blind as (
    select distinct list_id from {{ ref('int_lists__states') }}
    where part = 'rules_out' and state in ('not_shared', 'not_covered')
),

surest as (
    select told.* from told
    semi join children using (child_id)
    anti join blind using (list_id)
    where told.since is not null
    qualify told.is_confident = bool_or(told.is_confident) over (partition by told.list_id, told.child_id)
),

entries as (
    select
        list_id,
        child_id,
        min(since) as since,
        string_agg(distinct facts, '; ' order by facts) as facts,
        list_sort(list_distinct(flatten(array_agg(feeds)))) as feeds,
        bool_and(is_confident) as is_confident
    from surest
    group by list_id, child_id
)

select * from entries
