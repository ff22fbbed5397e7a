-- Which children's services are working with a child on the as-at date; the levels overlap on purpose.
with open_work as (
    {{ spells_of_services() }}
),

by_child as (
    select
        records.child_id,
        open_work.level,
        min(open_work.start_date) as since,
        bool_or(records.is_confident) as is_confident,
        {{ origins_of(origin('open_work.source_table', 'open_work')) }} as origins
    from open_work
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        open_work.start_date <= {{ as_at() }}
        and coalesce(open_work.end_date > {{ as_at() }}, true)
    group by records.child_id, open_work.level
)

select * from by_child
