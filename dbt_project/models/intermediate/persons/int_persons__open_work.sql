-- Which children's services are working with a child on the as-at date; the levels overlap on purpose.
-- Early help as the case system knows it counts for children whom no early help service told us of.
with told_by_early_help as (
    select distinct child_id from {{ ref('int_persons__records') }}
    where service = 'early_help'
),

early_help_in_case_system as (
    select episodes.*
    from {{ ref('stg_case_system__early_help_episodes') }} as episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    anti join told_by_early_help on records.child_id = told_by_early_help.child_id
),

open_work as (
    select
        record_key,
        'child_in_need' as level,
        referral_date as start_date,
        closure_date as end_date,
        'ssd_cin_episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_case_system__referrals') }}
    where not is_no_further_action
    union all
    select
        record_key,
        'child_protection',
        start_date,
        end_date,
        'ssd_cp_plans',
        delivery_id,
        line
    from {{ ref('stg_case_system__protection_plans') }}
    union all
    select
        record_key,
        'looked_after',
        start_date,
        end_date,
        'ssd_cla_episodes',
        delivery_id,
        line
    from {{ ref('stg_case_system__care_episodes') }}
    union all
    select
        record_key,
        'early_help',
        start_date,
        end_date,
        'episodes',
        delivery_id,
        line
    from {{ ref('stg_early_help__episodes') }}
    union all
    select
        record_key,
        'early_help',
        start_date,
        end_date,
        'ssd_early_help_episodes',
        delivery_id,
        line
    from early_help_in_case_system
),

by_child as (
    select
        records.child_id,
        open_work.level,
        min(open_work.start_date) as since,
        bool_or(records.is_confident) as is_confident,
        {{ origins_of(origin('open_work.source_table', 'open_work')) }} as origins
    from open_work
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        open_work.start_date <= {{ as_at() }}
        and coalesce(open_work.end_date > {{ as_at() }}, true)
    group by records.child_id, open_work.level
)

select * from by_child
