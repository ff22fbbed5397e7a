with conferences as (
    select * from {{ ref('stg_case_system__conferences') }}
    where conference_date <= {{ period_end() }} and not coalesce(is_transfer_in, false)
),

linked as (
    {{ with_episode(ref('stg_case_system__enquiries'), 'start_date') }}
),

held as (
    select
        linked.*,
        {{ known_by('linked.end_date', period_end()) }} as known_end_date,
        min(conferences.conference_date) as conference_date
    from linked
    left join conferences on linked.enquiry_id = conferences.enquiry_id
    where linked.start_date <= {{ period_end() }}
    group by all
),

decided as (
    -- Ended, no conference held and none called for: not required. Ended with a conference still to come: required.
    select
        *,
        conference_date is null
        and known_end_date is not null
        and not {{ is_conference_called('outcome_json') }} as is_conference_not_required
    from held
),

in_year as (
    select * from decided
    where
        coalesce(
            coalesce(conference_date, case when is_conference_not_required then known_end_date end)
            >= {{ period_start() }},
            true
        )
),

once as (
    select * from in_year
    qualify row_number() over (
        partition by cin_key, start_date, conference_date, is_conference_not_required order by enquiry_id
    ) = 1
),

enquiries as (
    select
        once.child_id,
        once.cin_key,
        once.cin_key || '-S' || row_number() over (
            partition by once.cin_key order by once.start_date, once.conference_date nulls last, once.enquiry_id
        ) as s47_key,
        once.enquiry_id,
        once.start_date,
        targets.calendar_date as conference_target_date,
        once.conference_date,
        once.is_conference_not_required,
        once.record_key,
        once.delivery_id,
        once.line
    from once
    left join {{ ref('timeliness_measures') }} as limits on limits.measure_id = 'TM-07'
    left join {{ ref('int_calendar__days') }} as starts on once.start_date = starts.calendar_date
    left join {{ ref('int_calendar__days') }} as targets
        on
            targets.is_working_day
            and starts.working_day_number + limits.time_limit = targets.working_day_number
)

select * from enquiries
