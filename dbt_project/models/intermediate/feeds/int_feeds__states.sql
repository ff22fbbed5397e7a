-- What is known of each feed on the as-at date. Several feeds may speak for one service, whose words are those of the
-- feed asked first; a feed may speak for none.
with states as (
    select
        feed,
        service,
        first_value(service_label) over (partition by service order by precedence asc nulls last, feed asc) as label,
        precedence,
        is_for_returns,
        is_through_family,
        first_age,
        last_age,
        is_shared,
        is_covered,
        is_late,
        late_after_hours,
        last_delivered_at
    from {{ ref('stg_meta__feeds') }}
)

select * from states
