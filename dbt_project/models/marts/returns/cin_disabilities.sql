with cohort as (
    select distinct child_id from {{ ref('int_census__episodes') }}
),

cin_disabilities as (
    select
        disabilities.child_id as child_key,
        disabilities.disability_code as disability
    from {{ ref('int_census__disabilities') }} as disabilities
    inner join cohort using (child_id)
)

select * from cin_disabilities
