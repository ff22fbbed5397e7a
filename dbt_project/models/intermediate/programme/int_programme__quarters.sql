-- Quarters of the collection year that have begun; the newest ends with the year or on the as-at date.
with began as (
    select
        unnest(
            generate_series({{ period_start() }}::timestamp, {{ as_at() }}::timestamp, interval 3 month)
        )::date as first_day
),

quarters as (
    select
        first_day,
        least((first_day + interval 3 month - interval 1 day)::date, {{ as_at() }}) as last_day
    from began
    where first_day <= {{ period_end() }}
)

select * from quarters
