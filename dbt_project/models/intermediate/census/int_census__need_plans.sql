with linked as (
    {{ with_episode(ref('stg_case_system__need_plans'), 'start_date') }}
),

in_year as (
    -- Ended before the year: left out (rule 4013).
    select
        *,
        {{ known_by('end_date', period_end()) }} as known_end_date
    from linked
    where start_date <= {{ period_end() }} and coalesce(end_date >= {{ period_start() }}, true)
),

once as (
    select * from in_year
    qualify row_number() over (partition by cin_key, start_date, known_end_date order by plan_id) = 1
),

plans as (
    select
        child_id,
        cin_key,
        cin_key || '-N' || row_number() over (
            partition by cin_key order by start_date, known_end_date nulls last, plan_id
        ) as plan_key,
        start_date,
        known_end_date as end_date,
        record_key,
        delivery_id,
        line
    from once
)

select * from plans
