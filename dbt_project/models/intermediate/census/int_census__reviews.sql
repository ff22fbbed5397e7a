with plans as (
    select * from {{ ref('int_census__protection_plans') }}
),

reviews as (
    select distinct
        plans.child_id,
        plans.cin_key,
        plans.cpp_key,
        held.review_date
    from {{ ref('stg_case_system__protection_reviews') }} as held
    inner join plans using (plan_id)
    where held.review_date between {{ period_start() }} and {{ period_end() }}
)

select * from reviews
