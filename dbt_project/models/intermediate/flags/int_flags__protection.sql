with plans as (
    select
        records.child_id,
        plans.start_date,
        categories.meaning as category,
        {{ origin('ssd_cp_plans', 'plans') }} as origin
    from {{ ref('stg_case_system__protection_plans') }} as plans
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join {{ ref('codes') }} as categories
        on categories.code_list = 'category_of_abuse' and plans.latest_category_code = categories.code
    where
        records.is_confident
        and plans.start_date <= {{ as_at() }}
        and coalesce(plans.end_date > {{ as_at() }}, true)
),

flags as (
    select
        child_id,
        'child_protection_plan_open' as flag,
        min(start_date) as since,
        'A child protection plan is open' as rule_in_words,
        'plan since ' || min(start_date) || coalesce(', category: ' || arg_max(category, start_date), '') as facts,
        'case_system' as source,
        {{ origins_of('origin') }} as origins
    from plans
    group by child_id
)

select * from flags
