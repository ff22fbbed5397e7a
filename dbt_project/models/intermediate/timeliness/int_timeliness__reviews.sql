-- Reviews of the plans that are open on the as-at date, gap by gap: from the plan's start, or the conference at which
-- it was taken over, to the first review, then from review to review; the last gap is still running. A review on or
-- before the start is none (DfE CIN census 2025-26, rule 8841).
with transfers as (
    select
        records.child_id,
        facts.conference_date
    from {{ ref('stg_case_system__conferences') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where facts.is_transfer_in and facts.conference_date <= {{ as_at() }}
),

open_plans as (
    select
        records.child_id,
        records.is_confident,
        facts.*
    from {{ ref('stg_case_system__protection_plans') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where facts.start_date <= {{ as_at() }} and coalesce(facts.end_date > {{ as_at() }}, true)
    qualify
        row_number() over (
            partition by records.child_id, facts.start_date
            order by coalesce(facts.is_for_other_authority, false), facts.record_key, facts.plan_id
        ) = 1
),

taken_over as (
    select
        open_plans.child_id,
        open_plans.start_date,
        max(transfers.conference_date) as conference_date
    from open_plans
    inner join transfers
        on open_plans.child_id = transfers.child_id and open_plans.start_date <= transfers.conference_date
    group by open_plans.child_id, open_plans.start_date
),

plans as (
    select
        open_plans.*,
        open_plans.start_date as plan_start_date,
        coalesce(taken_over.conference_date, open_plans.start_date) as clock_start_date
    from open_plans
    left join taken_over using (child_id, start_date)
),

reviews as (
    select
        records.child_id,
        facts.review_date,
        facts.record_key,
        facts.delivery_id,
        facts.line
    from {{ ref('stg_case_system__protection_reviews') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where facts.review_date <= {{ as_at() }}
    qualify
        row_number() over (
            partition by records.child_id, facts.review_date order by facts.record_key, facts.delivery_id, facts.line
        ) = 1
),

marks as (
    select
        child_id,
        plan_start_date,
        clock_start_date as mark_date,
        is_for_other_authority,
        is_confident,
        record_key,
        delivery_id,
        line
    from plans
    union all
    select
        plans.child_id,
        plans.plan_start_date,
        reviews.review_date,
        plans.is_for_other_authority,
        plans.is_confident,
        reviews.record_key,
        reviews.delivery_id,
        reviews.line
    from plans
    inner join reviews on plans.child_id = reviews.child_id and plans.clock_start_date < reviews.review_date
),

clocks as (
    select
        child_id,
        'TM-09' as measure_id,
        plan_start_date,
        mark_date as start_date,
        lead(mark_date) over plan_marks as stop_date,
        row_number() over plan_marks > 1 as is_later,
        case when is_for_other_authority then 'other_authority' end as exclusion,
        is_confident,
        record_key,
        delivery_id,
        line
    from marks
    window plan_marks as (partition by child_id, plan_start_date order by mark_date)
)

select * from clocks
