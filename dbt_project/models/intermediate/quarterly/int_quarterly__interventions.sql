-- Each child protection intervention of a child, from strategy discussion to its end. The end is the first that applies
-- of: plan ended, conference without a plan, enquiry ended without a conference, discussion without an enquiry (our
-- reading of "strategy discussion to closure of child protection plan"). A plan that no enquiry led to begins one too.
with records as (
    select
        record_key,
        child_id,
        is_confident
    from {{ ref('int_persons__records') }}
),

discussions as (
    select
        records.child_id,
        records.is_confident,
        facts.*
    from {{ ref('stg_case_system__strategy_discussions') }} as facts
    inner join records using (record_key)
    where facts.held_date <= {{ as_at() }}
),

held as (
    select
        enquiry_id,
        min(held_date) as held_date
    from discussions
    where enquiry_id is not null
    group by enquiry_id
),

conferences as (
    select
        enquiry_id,
        min(conference_date) as conference_date,
        bool_or(is_plan_agreed) as is_plan_agreed
    from {{ ref('stg_case_system__conferences') }}
    where conference_date <= {{ as_at() }} and enquiry_id is not null
    group by enquiry_id
),

plans as (
    select
        records.child_id,
        records.is_confident,
        facts.*
    from {{ ref('stg_case_system__protection_plans') }} as facts
    inner join records using (record_key)
    where facts.start_date <= {{ as_at() }} and not coalesce(facts.is_for_other_authority, false)
),

closures as (
    select
        referral_id,
        min(closure_date) as closure_date
    from {{ ref('stg_case_system__referrals') }}
    group by referral_id
),

enquiries as (
    select
        records.child_id,
        records.is_confident,
        facts.enquiry_id,
        facts.record_key,
        facts.delivery_id,
        facts.line,
        coalesce(least(held.held_date, facts.start_date), facts.start_date) as start_date,
        held.held_date is not null as has_discussion,
        facts.end_date as enquiry_end_date,
        {{ is_conference_called('facts.outcome_json') }} as is_conference_called,
        conferences.conference_date,
        coalesce(conferences.is_plan_agreed, false) as is_plan_agreed,
        closures.closure_date,
        -- The plan that the conference made: the first of the child from that day on.
        (
            select
                min(
                    struct_pack(
                        start_date := plans.start_date, end_date := plans.end_date, plan_id := plans.plan_id
                    )
                )
            from plans
            where
                plans.child_id = records.child_id
                and plans.start_date between conferences.conference_date and conferences.conference_date + 15
        ) as plan
    from {{ ref('stg_case_system__enquiries') }} as facts
    inner join records using (record_key)
    left join held using (enquiry_id)
    left join conferences using (enquiry_id)
    left join closures using (referral_id)
    where facts.start_date <= {{ as_at() }}
),

from_enquiries as (
    select
        * exclude (plan, is_conference_called, is_plan_agreed, closure_date),
        plan.start_date as plan_start_date,
        plan.end_date as plan_end_date,
        plan.plan_id,
        case
            when plan is not null then plan.end_date
            when conference_date is not null and not is_plan_agreed then conference_date
            -- Called and not held: it waits until the case is closed.
            when conference_date is null and not is_conference_called then enquiry_end_date
            else closure_date
        end as end_date,
        case
            when plan is not null then 'plan ended'
            when conference_date is not null and not is_plan_agreed then 'conference without a plan'
            when conference_date is null and not is_conference_called then 'enquiry ended without a conference'
            else 'case closed before the conference'
        end as end_basis,
        case when has_discussion then 'strategy discussion' else 'section 47 enquiry' end as start_basis
    from enquiries
),

from_discussions as (
    select
        child_id,
        is_confident,
        discussion_id,
        record_key,
        delivery_id,
        line,
        held_date as start_date,
        coalesce(concluded_date, case when outcome_code = 'no_enquiry' then held_date end) as end_date
    from discussions
    where enquiry_id is null or enquiry_id not in (select enquiries.enquiry_id from enquiries)
),

from_plans as (
    select plans.*
    from plans
    anti join from_enquiries
        on plans.child_id = from_enquiries.child_id and plans.start_date = from_enquiries.plan_start_date
),

team as (
    select
        records.child_id,
        facts.enquiry_id,
        facts.start_date,
        facts.end_date,
        facts.is_harm_outside_home
    from {{ ref('stg_case_system__protection_team') }} as facts
    inner join records using (record_key)
),

told as (
    select
        child_id,
        enquiry_id as intervention_id,
        enquiry_id,
        start_date,
        end_date,
        start_basis,
        end_basis,
        enquiry_end_date,
        conference_date,
        plan_start_date,
        plan_end_date,
        is_confident,
        'ssd_s47_enquiry' as source_table,
        record_key,
        delivery_id,
        line
    from from_enquiries
    union all by name
    select
        child_id,
        discussion_id as intervention_id,
        start_date,
        end_date,
        'strategy discussion' as start_basis,
        'discussion without an enquiry' as end_basis,
        end_date as enquiry_end_date,
        is_confident,
        'xt_strategy_discussions' as source_table,
        record_key,
        delivery_id,
        line
    from from_discussions
    union all by name
    select
        child_id,
        plan_id as intervention_id,
        start_date,
        end_date,
        'plan without an enquiry here' as start_basis,
        'plan ended' as end_basis,
        start_date as plan_start_date,
        end_date as plan_end_date,
        is_confident,
        'ssd_cp_plans' as source_table,
        record_key,
        delivery_id,
        line
    from from_plans
),

-- The team's part in it: by the enquiry, else by any involvement of the team with the child in that time.
with_team as (
    select
        told.*,
        min(team.start_date) as team_start_date,
        case when count(*) filter (where team.end_date is null) = 0 then max(team.end_date) end as team_end_date,
        count(team.child_id) > 0 as is_with_team,
        coalesce(bool_or(team.is_harm_outside_home), false) as is_harm_outside_home
    from told
    left join team
        on
            told.child_id = team.child_id
            and (
                told.enquiry_id = team.enquiry_id
                or (
                    told.enquiry_id is null
                    and coalesce(told.end_date >= team.start_date, true)
                    and coalesce(told.start_date <= team.end_date, true)
                )
            )
    group by all
)

select * from with_team
