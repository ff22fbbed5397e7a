-- The two clocks of assessments, kept apart: from the assessment's own start (DfE's statistic) and from the referral
-- (the statutory maximum). What was not known on the as-at date is left out, so an assessment authorised later is open.
with facts as (
    select
        records.child_id,
        records.is_confident,
        assessments.* exclude (authorisation_date),
        {{ known_by('assessments.authorisation_date', as_at()) }} as authorisation_date
    from {{ ref('stg_case_system__assessments') }} as assessments
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where assessments.start_date <= {{ as_at() }}
),

referrals as (
    select
        * exclude (closure_date),
        {{ known_by('closure_date', as_at()) }} as closure_date
    from {{ ref('int_census__referrals') }}
    where referral_date <= {{ as_at() }}
),

-- By the number of the referral where it is known, else by the child and the day, as in the census. An inner join comes
-- first: a left one on these conditions would compare every assessment with every referral.
referred as (
    select
        facts.record_key,
        facts.delivery_id,
        facts.line,
        referrals.canonical_referral_id,
        referrals.closure_date
    from facts
    inner join referrals using (child_id)
    where
        facts.referral_id = referrals.referral_id
        or facts.start_date between referrals.referral_date and coalesce(referrals.closure_date, {{ as_at() }})
    qualify row_number() over (
        partition by facts.record_key, facts.delivery_id, facts.line
        order by
            facts.referral_id is not distinct from referrals.referral_id desc,
            referrals.referral_date desc,
            referrals.canonical_referral_id asc
    ) = 1
),

placed as (
    select
        facts.*,
        referred.canonical_referral_id,
        referred.closure_date
    from facts
    left join referred using (record_key, delivery_id, line)
),

-- Entered on two records, or opened again: one assessment, stopped by its first authorisation.
once as (
    select * from placed
    qualify row_number() over (
        partition by child_id, start_date
        order by
            coalesce(authorisation_date >= start_date, false) desc,
            authorisation_date asc nulls last,
            record_key asc,
            assessment_id asc
    ) = 1
),

first_of_referral as (
    select
        once.*,
        referrals.referral_date
    from once
    inner join referrals on once.child_id = referrals.child_id and once.canonical_referral_id = referrals.referral_id
    qualify row_number() over (
        partition by once.child_id, once.canonical_referral_id
        order by once.start_date < referrals.referral_date, once.start_date
    ) = 1
),

-- A referral that calls for work and has no assessment yet: its clock runs until there is one or the case is closed.
unassessed as (
    select
        records.is_confident,
        referrals.*
    from referrals
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    anti join first_of_referral as assessed
        on referrals.child_id = assessed.child_id and referrals.referral_id = assessed.canonical_referral_id
    where
        referrals.referral_id = referrals.canonical_referral_id
        and not coalesce(referrals.is_no_further_action, false)
        and referrals.closure_date is null
),

clocks as (
    select
        child_id,
        case when authorisation_date is null then 'TM-04' else 'TM-02' end as measure_id,
        start_date,
        authorisation_date as stop_date,
        closure_date as case_closed_on,
        worker_id,
        team,
        is_confident,
        record_key,
        delivery_id,
        line
    from once
    union all
    select
        child_id,
        'TM-03',
        referral_date,
        authorisation_date,
        closure_date,
        worker_id,
        team,
        is_confident,
        record_key,
        delivery_id,
        line
    from first_of_referral
    union all
    select
        child_id,
        'TM-03',
        referral_date,
        null,
        null,
        worker_id,
        team,
        is_confident,
        record_key,
        delivery_id,
        line
    from unassessed
)

select * from clocks
