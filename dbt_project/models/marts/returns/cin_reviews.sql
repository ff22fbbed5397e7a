with cin_reviews as (
    select
        child_id as child_key,
        cin_key,
        cpp_key,
        review_date as cpp_review_date
    from {{ ref('int_census__reviews') }}
)

select * from cin_reviews
