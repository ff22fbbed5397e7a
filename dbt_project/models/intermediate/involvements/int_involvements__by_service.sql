-- One row per child and service that has ever worked with the child: the latest open spell, else the last one closed.
with spells as (
    {%- for service in [
        'education', 'police', 'community_health', 'hospital', 'probation', 'social_care', 'early_help'
    ] %}
        select * from {{ ref('int_involvements__' ~ service) }}
        {%- if not loop.last %}
            union all by name
        {%- endif %}
    {%- endfor %}
),

latest as (
    select * from spells
    qualify row_number() over (
        partition by child_id, service
        order by is_withheld asc, until is null desc, until desc, since desc nulls last, record_key asc
    ) = 1
)

select * from latest
