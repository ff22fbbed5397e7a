-- Plain rules with the facts they rest on. No score, and no weight between them.
with raised as (
    {%- for rule in ['attendance', 'missing', 'protection', 'clocks', 'contacts', 'parents'] %}
        select * from {{ ref('int_flags__' ~ rule) }}
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}
),

flags as (
    select
        raised.child_id,
        raised.flag,
        raised.since,
        raised.rule_in_words,
        raised.facts,
        raised.source
    from raised
    semi join {{ ref('int_persons__children') }} using (child_id)
)

select * from flags
