with cin_protection_plans as (
    select
        child_id as child_key,
        cin_key,
        cpp_key,
        start_date as cpp_start_date,
        end_date as cpp_end_date,
        initial_category_code as initial_category_of_abuse,
        latest_category_code as latest_category_of_abuse,
        previous_plan_count::integer as number_of_previous_cpp
    from {{ ref('int_census__protection_plans') }}
    where is_canonical
)

select * from cin_protection_plans
