with cohort as (
    select distinct child_id from {{ ref('int_census__episodes') }}
),

cin_children as (
    select
        children.child_id as child_key,
        children.la_child_id,
        children.upn,
        children.former_upn,
        children.upn_unknown_code as upn_unknown,
        children.birth_date as person_birth_date,
        children.expected_birth_date as expected_person_birth_date,
        children.sex,
        children.death_date as person_death_date,
        children.ethnicity_code as ethnicity
    from cohort
    inner join {{ ref('int_census__children') }} as children using (child_id)
)

select * from cin_children
