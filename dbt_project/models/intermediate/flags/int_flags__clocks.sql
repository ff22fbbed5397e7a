-- Clocks of children's social care that ran out: working days after the day of the start, the limit itself in time.
with today as (
    select working_day_number from {{ ref('int_calendar__days') }}
    where calendar_date = {{ as_at() }}
),

held_conferences as (
    select enquiry_id from {{ ref('stg_case_system__conferences') }}
    where conference_date <= {{ as_at() }}
),

closed_referrals as (
    select referral_id from {{ ref('stg_case_system__referrals') }}
    where closure_date <= {{ as_at() }}
),

-- Still running, or ended with a conference called for; once the case is closed the clock has stopped.
enquiries as (
    select facts.*
    from {{ ref('stg_case_system__enquiries') }} as facts
    anti join held_conferences using (enquiry_id)
    anti join closed_referrals using (referral_id)
    where
        facts.start_date <= {{ as_at() }}
        and (coalesce(facts.end_date > {{ as_at() }}, true) or {{ is_conference_called('facts.outcome_json') }})
),

clocks as (
    select
        record_key,
        'assessment_overdue' as flag,
        start_date as since,
        {{ var('assessment_limit_working_days') }} as limit_working_days,
        'assessment' as what
    from {{ ref('stg_case_system__assessments') }}
    where start_date <= {{ as_at() }} and coalesce(authorisation_date > {{ as_at() }}, true)
    union all
    select
        record_key,
        'conference_overdue',
        start_date,
        {{ var('conference_limit_working_days') }},
        'section 47 enquiry with no initial conference'
    from enquiries
),

overdue as (
    select
        records.child_id,
        clocks.*,
        today.working_day_number - starts.working_day_number as elapsed_working_days
    from clocks
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    inner join {{ ref('int_calendar__days') }} as starts on clocks.since = starts.calendar_date
    cross join today
    where
        records.is_confident
        and today.working_day_number - starts.working_day_number > clocks.limit_working_days
),

flags as (
    select
        child_id,
        flag,
        min(since) as since,
        'Open longer than ' || limit_working_days || ' working days: ' || what as rule_in_words,
        'started ' || min(since) || ', ' || max(elapsed_working_days) || ' working days ago' as facts,
        'case_system' as source
    from overdue
    group by child_id, flag, limit_working_days, what
)

select * from flags
