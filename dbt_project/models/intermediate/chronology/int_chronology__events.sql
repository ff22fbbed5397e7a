-- Events of the child's own records. What an adult of the family did is not in a child's chronology.
with events as (
    {%- for source in ['social_care', 'police', 'health', 'education', 'early_help', 'declared'] %}
        select
            record_key,
            event_date,
            event_type,
            summary,
            {{ 'guarded_summary' if source in ['police', 'declared'] else 'null' }} as guarded_summary,
            source_table,
            delivery_id,
            line
        from {{ ref('int_chronology__' ~ source) }}
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}
),

of_children as (
    select
        records.child_id,
        events.event_date,
        events.event_type,
        events.summary,
        events.guarded_summary,
        records.feed as source,
        records.record_key,
        records.is_confident,
        children.is_restricted,
        events.source_table,
        events.delivery_id,
        events.line
    from events
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    inner join {{ ref('int_persons__children') }} as children using (child_id)
    where events.event_date <= {{ as_at() }}
),

-- A child entered twice in one system has the same event twice.
once as (
    select * from of_children
    qualify row_number() over (
        partition by child_id, event_date, event_type, summary, source
        order by is_confident desc, record_key asc, delivery_id asc, line asc
    ) = 1
)

select * from once
