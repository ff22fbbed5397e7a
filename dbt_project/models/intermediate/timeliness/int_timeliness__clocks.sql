-- One row per clock of children's social care that runs on the as-at date or stopped in the period: when it is due, how
-- long it took and whether it counts. The start is day 0; a start or an end on a day off counts as the working day
-- before it; the limit itself is in time. Flags, measures and lists all read this definition.
with measures as (
    {{ timeliness_measures_in_force() }}
),

days as (
    select * from {{ ref('int_calendar__days') }}
),

today as (
    select working_day_number as today_number from days
    where calendar_date = {{ as_at() }}
),

events as (
    select * from {{ ref('int_timeliness__assessments') }}
    union all by name
    select * from {{ ref('int_timeliness__conferences') }}
    union all by name
    select * from {{ ref('int_timeliness__reviews') }}
    union all by name
    select * from {{ ref('int_timeliness__referrals') }}
),

limited as (
    select
        events.*,
        measures.clock,
        measures.counts,
        measures.limit_unit,
        measures.band_limits,
        measures.keeps_errors,
        case when events.is_later then measures.later_limit else measures.time_limit end as time_limit,
        coalesce(events.stop_date, {{ as_at() }}) as until_date
    from events
    inner join measures using (measure_id)
),

timed as (
    select
        limited.*,
        {{ due_on('limited', 'dues.calendar_date') }} as due_date,
        case limited.limit_unit
            when 'working_day' then untils.working_day_number - starts.working_day_number
            else limited.until_date - limited.start_date
        end as elapsed
    from limited
    left join days as starts on limited.start_date = starts.calendar_date
    left join days as untils on limited.until_date = untils.calendar_date
    left join days as dues
        on dues.is_working_day and starts.working_day_number + limited.time_limit = dues.working_day_number
),

-- Never a negative count: what stopped before it started is an error to mend, not a quick piece of work.
checked as (
    select
        * exclude (exclusion, elapsed),
        coalesce(
            exclusion,
            case
                when stop_date < start_date then 'stop_before_start'
                when start_date is not null and elapsed is null then 'outside_calendar'
            end
        ) as exclusion,
        case when until_date >= start_date then elapsed end as days,
        case when limit_unit = 'working_day' then elapsed <= time_limit else until_date <= due_date end as is_in_time
    from timed
),

-- A plan counts once, with its running gap: in time when every gap that ended or ran in the period was.
plans as (
    select
        *,
        min(due_date) over plan_gaps as first_due_date,
        bool_and(is_in_time or until_date < {{ period_start() }}) over plan_gaps as is_plan_in_time
    from checked
    window plan_gaps as (partition by measure_id, child_id, plan_start_date)
),

in_period as (
    select
        * exclude (exclusion),
        case
            when counts = 'plan' and stop_date is null and first_due_date > {{ as_at() }}
                then coalesce(exclusion, 'plan_too_young')
            else exclusion
        end as exclusion
    from plans
    where stop_date is null or stop_date between {{ period_start() }} and {{ period_end() }}
),

judged as (
    select
        in_period.*,
        case
            when in_period.counts = 'referral'
                then if(coalesce(in_period.is_in_time, false), 'referred_again', 'not_referred_before')
            when in_period.exclusion is not null and in_period.exclusion != 'plan_too_young' then 'not_counted'
            when in_period.stop_date is not null then if(in_period.is_in_time, 'done_in_time', 'done_late')
            when not in_period.is_in_time then 'overdue'
            when dues.working_day_number - today.today_number <= {{ var('due_soon_working_days') }} then 'due_soon'
            else 'running'
        end as state,
        case in_period.counts
            when 'stopped'
                then
                    in_period.stop_date is not null
                    and (
                        in_period.exclusion is null
                        or (in_period.exclusion = 'stop_before_start' and in_period.keeps_errors)
                    )
            when 'referral' then true
            else in_period.stop_date is null and in_period.exclusion is null
        end as is_counted
    from in_period
    left join days as dues on in_period.due_date = dues.calendar_date
    left join today on true
),

professionals as (
    select
        professional_id,
        professional_name
    from {{ ref('stg_case_system__professionals') }}
),

-- Who works with the child now, for what names nobody itself.
current_workers as (
    select
        child_id,
        contact_name,
        team
    from {{ ref('int_involvements__social_care') }}
    where until is null
    qualify row_number() over (
        partition by child_id order by since desc, record_key asc, contact_name asc nulls last, team asc nulls last
    ) = 1
),

clocks as (
    select
        judged.measure_id,
        judged.clock,
        judged.child_id,
        judged.start_date,
        judged.due_date,
        judged.stop_date,
        judged.days,
        judged.time_limit,
        judged.limit_unit,
        judged.band_limits,
        judged.state,
        judged.exclusion,
        judged.is_counted,
        judged.is_counted and case judged.counts
            when 'stopped' then judged.exclusion is null and judged.is_in_time
            when 'running' then not judged.is_in_time
            when 'plan' then judged.is_plan_in_time
            else coalesce(judged.is_in_time, false)
        end as is_in_numerator,
        judged.case_closed_on,
        judged.is_confident,
        coalesce(professionals.professional_name, current_workers.contact_name) as worker,
        coalesce(judged.team, current_workers.team) as team,
        judged.record_key,
        judged.delivery_id,
        judged.line
    from judged
    left join professionals on judged.worker_id = professionals.professional_id
    left join current_workers on judged.child_id = current_workers.child_id
)

select * from clocks
