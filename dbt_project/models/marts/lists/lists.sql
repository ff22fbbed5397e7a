-- Each list with its rule, who answers for it, and how many stand on it; how many would by weak links alone.
with defined as (
    select * from {{ ref('early_warning_lists') }}
),

counted as (
    select
        list_id,
        count(*) filter (where is_confident) as child_count,
        count(*) filter (where not is_confident) as kept_out_count
    from {{ ref('int_lists__entries') }}
    group by list_id
),

states as (
    select
        list_id,
        bool_or(state = 'late') as is_late,
        bool_or(part = 'rules_out' and state in ('not_shared', 'not_covered'))
        or bool_and(state in ('not_shared', 'not_covered')) as is_blind,
        string_agg(label || ' (' || feed || '): ' || state_in_words, '. ' order by feed) filter (
            where state != 'in_time'
        ) as gaps
    from {{ ref('int_lists__states') }}
    group by list_id
),

lists as (
    select
        defined.list_id,
        defined.place,
        defined.title,
        defined.rule_in_words,
        defined.guide,
        defined.chosen,
        defined.owner,
        defined.review_date,
        coalesce(counted.child_count, 0) as child_count,
        coalesce(counted.kept_out_count, 0) as kept_out_count,
        case
            when states.is_blind then 'not_shared'
            when states.is_late then 'late'
            else 'in_time'
        end as state,
        coalesce(states.gaps, 'every feed of this list is in time') as state_in_words,
        {{ as_at() }} as as_at
    from defined
    inner join states using (list_id)
    left join counted using (list_id)
)

select * from lists
