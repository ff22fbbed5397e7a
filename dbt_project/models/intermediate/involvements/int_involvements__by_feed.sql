-- One row per child and feed that tells of work with the child: the latest open spell, else the last one closed.
with spells as (
    {%- for source in [
        'education', 'police', 'community_health', 'hospital', 'probation', 'prison', 'social_care', 'early_help',
        'declared'
    ] %}
        select * from {{ ref('int_involvements__' ~ source) }}
        {%- if not loop.last %}
            union all by name
        {%- endif %}
    {%- endfor %}
),

of_feeds as (
    select
        records.feed,
        spells.*
    from spells
    inner join {{ ref('int_persons__records') }} as records using (record_key)
),

latest as (
    select * from of_feeds
    qualify row_number() over (
        partition by child_id, feed
        order by
            is_withheld asc, until is null desc, until desc, since desc nulls last,
            record_key asc, delivery_id asc, line asc
    ) = 1
)

select * from latest
