-- Every stretch of time that says at which stage a child stands: help, need, enquiry, plan, care, steps before
-- proceedings, plans to go home. A child entered twice has each of them twice; figures count children.
with records as (
    select
        record_key,
        child_id,
        is_confident
    from {{ ref('int_persons__records') }}
),

spells as (
    select
        'teh' as kind,
        record_key,
        start_date,
        end_date,
        null as detail,
        'episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_early_help__episodes') }}
    union all
    select
        'teh',
        record_key,
        start_date,
        end_date,
        null,
        'ssd_early_help_episodes',
        delivery_id,
        line
    from {{ ref('stg_case_system__early_help_episodes') }}
    union all
    select
        'cin',
        record_key,
        referral_date,
        closure_date,
        null,
        'ssd_cin_episodes',
        delivery_id,
        line
    from {{ ref('stg_case_system__referrals') }}
    where not coalesce(is_no_further_action, false)
    union all
    select
        'strategy',
        record_key,
        held_date,
        coalesce(concluded_date, held_date),
        outcome_code,
        'xt_strategy_discussions',
        delivery_id,
        line
    from {{ ref('stg_case_system__strategy_discussions') }}
    union all
    select
        'enquiry',
        record_key,
        start_date,
        end_date,
        null,
        'ssd_s47_enquiry',
        delivery_id,
        line
    from {{ ref('stg_case_system__enquiries') }}
    union all
    select
        case when coalesce(is_for_other_authority, false) then 'cp_plan_of_others' else 'cp_plan' end,
        record_key,
        start_date,
        end_date,
        null,
        'ssd_cp_plans',
        delivery_id,
        line
    from {{ ref('stg_case_system__protection_plans') }}
    union all
    select
        'looked_after',
        record_key,
        start_date,
        end_date,
        end_reason_code,
        'ssd_cla_episodes',
        delivery_id,
        line
    from {{ ref('stg_case_system__care_episodes') }}
    union all
    select
        'pre_proceedings',
        record_key,
        letter_date,
        least(application_date, end_date),
        end_reason_code,
        'xt_legal_tracker',
        delivery_id,
        line
    from {{ ref('stg_case_system__legal_steps') }}
    where letter_date is not null
    union all
    select
        'return_home',
        record_key,
        start_date,
        end_date,
        null,
        'xt_return_home_plans',
        delivery_id,
        line
    from {{ ref('stg_case_system__return_home_plans') }}
),

of_children as (
    select
        records.child_id,
        records.is_confident,
        spells.*
    from spells
    inner join records using (record_key)
    where spells.start_date <= {{ as_at() }}
)

select * from of_children
