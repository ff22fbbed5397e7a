with plans as (
    -- A temporary plan kept for another authority is that authority's to return.
    select * from {{ ref('stg_case_system__protection_plans') }}
    where not coalesce(is_for_other_authority, false) and start_date <= {{ period_end() }}
),

of_child as (
    select distinct
        records.child_id,
        plans.start_date
    from plans
    inner join {{ ref('int_persons__records') }} as records using (record_key)
),

numbered as (
    select
        child_id,
        start_date,
        row_number() over (partition by child_id order by start_date) - 1 as previous_plan_count
    from of_child
),

linked as (
    {{ with_episode('plans', 'start_date') }}
),

in_year as (
    -- Ended before the year: left out (rule 8930).
    select
        *,
        {{ known_by('end_date', period_end()) }} as known_end_date
    from linked
    where coalesce(end_date >= {{ period_start() }}, true)
),

once as (
    select
        *,
        min(plan_id) over (partition by cin_key, start_date, known_end_date) as canonical_plan_id
    from in_year
),

keyed as (
    select
        once.child_id,
        once.cin_key,
        once.cin_key || '-P' || dense_rank() over (
            partition by once.cin_key
            order by once.start_date, once.known_end_date nulls last, once.canonical_plan_id
        ) as cpp_key,
        once.plan_id,
        once.plan_id = once.canonical_plan_id as is_canonical,
        once.start_date,
        once.known_end_date as end_date,
        once.initial_category_code,
        once.latest_category_code,
        numbered.previous_plan_count,
        once.record_key,
        once.delivery_id,
        once.line
    from once
    inner join numbered using (child_id, start_date)
)

select * from keyed
