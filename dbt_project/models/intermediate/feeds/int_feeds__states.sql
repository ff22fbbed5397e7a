-- What is known of each feed on the as-at date. A feed that nobody has described is neither shared nor covered.
with states as (
    select
        services.feed,
        services.service,
        services.label,
        services.precedence,
        services.is_for_returns,
        coalesce(feeds.is_shared, false) as is_shared,
        coalesce(feeds.is_covered, false) as is_covered,
        coalesce(feeds.is_late, false) as is_late,
        feeds.last_delivered_at
    from {{ ref('feeds') }} as services
    left join {{ ref('stg_meta__feeds') }} as feeds using (feed)
)

select * from states
