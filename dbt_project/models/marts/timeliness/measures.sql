-- Each measure for the whole partnership, by team and by worker, made of `clocks` alone: a percent can be counted again
-- from the list. Percents are rounded half up to one decimal in whole numbers, so that none hangs on a binary fraction.
with measures as (
    {{ timeliness_measures_in_force() }}
),

-- What a figure hangs on beside the records: limits and bank holidays. Another version may give another figure.
versions as (
    select
        sha256(
            (select string_agg(measures::varchar, '|' order by measures.measure_id) from measures)
            || (
                select string_agg(days.calendar_date::varchar, '|' order by days.calendar_date)
                from {{ ref('int_calendar__days') }} as days
                where not days.is_working_day
            )
        )[:16] as rules_version
),

clocks as (
    select
        * exclude (team, worker),
        case when is_restricted then 'withheld' else coalesce(team, 'not recorded') end as team,
        case when is_restricted then 'withheld' else coalesce(worker, 'not recorded') end as worker,
        -- What is excluded is in no band and no median, even where it stays in the denominator.
        case when is_counted and exclusion is null then days end as counted_days
    from {{ ref('clocks') }}
),

figures as (
    select
        measure_id,
        case grouping(team, worker) when 3 then 'partnership' when 1 then 'team' else 'worker' end as level,
        team,
        worker,
        count(*) filter (where is_in_numerator) as numerator,
        count(*) filter (where is_counted) as denominator,
        count(*) filter (where exclusion is not null) as exclusion_count,
        histogram(why_not_counted) filter (where exclusion is not null) as exclusions,
        histogram(band) filter (where counted_days is not null) as bands,
        quantile_cont(counted_days, 0.25) as lower_quartile_days,
        quantile_cont(counted_days, 0.5) as median_days,
        quantile_cont(counted_days, 0.75) as upper_quartile_days,
        count(*) filter (where stop_date is null and exclusion is distinct from 'other_authority') as running_count,
        count(*) filter (where state = 'due_soon') as due_soon_count,
        count(*) filter (where state = 'overdue') as overdue_count,
        min(due_date) filter (where state = 'overdue') as overdue_since
    from clocks
    group by grouping sets ((measure_id), (measure_id, team), (measure_id, team, worker))
),

-- A measure for which no feed has data has one row and no figure; one with data and no clock has zeros.
told as (
    select
        measures.measure_id,
        measures.title,
        coalesce(figures.level, 'partnership') as level,
        figures.team,
        figures.worker,
        measures.counts is not null as is_measured,
        case when measures.counts is not null then coalesce(figures.numerator, 0) end as numerator,
        case when measures.counts is not null then coalesce(figures.denominator, 0) end as denominator,
        case
            when figures.denominator > 0
                then
                    (
                        (2000 * figures.numerator + figures.denominator) // (2 * figures.denominator) / 10.0
                    )::decimal(4, 1)
        end as percent,
        figures.bands,
        case when measures.counts in ('stopped', 'running') then figures.lower_quartile_days end as lower_quartile_days,
        case when measures.counts in ('stopped', 'running') then figures.median_days end as median_days,
        case when measures.counts in ('stopped', 'running') then figures.upper_quartile_days end as upper_quartile_days,
        figures.exclusion_count,
        figures.exclusions,
        figures.running_count,
        figures.due_soon_count,
        figures.overdue_count,
        figures.overdue_since,
        measures.numerator as numerator_in_words,
        measures.denominator as denominator_in_words,
        measures.starts as starts_in_words,
        measures.stops as stops_in_words,
        measures.time_limit::integer as time_limit,
        measures.later_limit::integer as later_limit,
        measures.limit_unit,
        measures.band_limits,
        measures.england_percent::decimal(4, 1) as england_percent,
        measures.england_period,
        measures.evidence,
        measures.basis,
        measures.note,
        {{ as_at() }} as as_at,
        {{ period_start() }} as period_start,
        versions.rules_version
    from measures
    left join figures using (measure_id)
    cross join versions
)

select * from told
