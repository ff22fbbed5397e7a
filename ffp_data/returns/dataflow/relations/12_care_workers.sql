-- Registered social workers who hold the case on a 31 March of the window, of episodes with a child in need plan in it:
-- the reading of the reference implementation (0.4.8).
with census_days as (
    select unnest(generate_series($window_start, $as_at, interval 1 day))::date as census_day
),

workers as (
    select
        involvement_id,
        role_code
    from staging.stg_case_system__worker_involvements
    where list_contains($case_worker_roles, upper(trim(role_code)))
)

select
    events.child_key,
    events.episode_key,
    professionals.registration_number as worker_id,
    events.since as start_date,
    events.until as end_date
from memory.dataflow.events as events
inner join workers on events.event_key = workers.involvement_id
inner join staging.stg_case_system__professionals as professionals
    on events.worker_key = professionals.professional_id
where
    events.kind = 'worker'
    and professionals.registration_number is not null
    and events.episode_key in (select need_plans.episode_key from memory.dataflow.need_plans as need_plans)
    and exists (
        select 1 from census_days
        where
            month(census_days.census_day) = 3
            and day(census_days.census_day) = 31
            and census_days.census_day >= events.since
            and coalesce(census_days.census_day <= events.until, true)
    )
