with plans as (
    select * from {{ ref('int_census__protection_plans') }}
),

held as (
    select
        records.child_id,
        reviews.plan_id,
        reviews.review_date,
        numbered.plan_id is not null as is_plan_known
    from {{ ref('stg_case_system__protection_reviews') }} as reviews
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join {{ ref('stg_case_system__protection_plans') }} as numbered on reviews.plan_id = numbered.plan_id
    where reviews.review_date between {{ period_start() }} and {{ period_end() }}
),

-- Reviews of a drop that is older than the plans' (a table may be left out) go to the plan that they fall in.
reviews as (
    select distinct
        plans.child_id,
        plans.cin_key,
        plans.cpp_key,
        held.review_date
    from held
    inner join plans
        on
            held.child_id = plans.child_id
            and case
                when held.is_plan_known then held.plan_id = plans.plan_id
                else
                    held.review_date >= plans.start_date
                    and coalesce(held.review_date <= plans.end_date, true)
            end
)

select * from reviews
