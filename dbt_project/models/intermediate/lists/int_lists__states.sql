-- How each feed stands that a list rests on: a list tells its own gaps before anybody reads silence into it.
with feeds as (
    select * from {{ ref('early_warning_feeds') }}
),

states as (
    select
        feeds.list_id,
        feeds.feed,
        coalesce(known.label, replace(feeds.feed, '_', ' ')) as label,
        feeds.part,
        case
            when not coalesce(known.is_shared, false) then 'not_shared'
            when not known.is_covered then 'not_covered'
            when known.is_late then 'late'
            else 'in_time'
        end as state,
        case
            when known.is_shared and known.is_covered and known.is_late
                then (known.last_delivered_at + to_hours(known.late_after_hours))::date
        end as since,
        case when known.is_shared then known.last_delivered_at end as last_delivered_at
    from feeds
    left join {{ ref('int_feeds__states') }} as known using (feed)
),

worded as (
    select
        *,
        case state
            when 'in_time' then 'in time, last delivered on ' || last_delivered_at::date
            when 'not_covered' then 'sends no data to the hub'
            when 'not_shared' then 'not shared: no agreement in force'
            else 'late since ' || since || ', last delivered on ' || last_delivered_at::date
        end
        || case
            when state = 'in_time' then ''
            when part = 'expects' then '; nobody is listed for want of it'
            when part = 'rules_out' and state != 'late'
                then '; without it nobody can be listed'
            when state = 'late' then '; what is shown is what it last said'
            else '; what it would tell is not here'
        end as state_in_words
    from states
)

select * from worded
