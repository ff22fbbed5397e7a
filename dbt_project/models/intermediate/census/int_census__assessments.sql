with linked as (
    {{ with_episode(ref('stg_case_system__assessments'), 'start_date') }}
),

in_year as (
    -- Finished before the year: left out (DfE CIN census 2025-26, rule 8696).
    select
        *,
        {{ known_by('authorisation_date', period_end()) }} as known_authorisation_date
    from linked
    where
        start_date <= {{ period_end() }}
        and coalesce(authorisation_date >= {{ period_start() }}, true)
),

once as (
    select * from in_year
    qualify row_number() over (
        partition by cin_key, start_date, known_authorisation_date order by assessment_id
    ) = 1
),

assessments as (
    select
        child_id,
        cin_key,
        cin_key || '-A' || row_number() over (
            partition by cin_key order by start_date, known_authorisation_date nulls last, assessment_id
        ) as assessment_key,
        assessment_id,
        start_date,
        known_authorisation_date as authorisation_date,
        record_key,
        delivery_id,
        line
    from once
)

select * from assessments
