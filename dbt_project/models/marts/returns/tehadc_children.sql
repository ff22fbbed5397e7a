with cohort as (
    select
        child_id,
        arg_max(eh_family_id, [start_date::varchar, teh_episode_id]) as family_id
    from {{ ref('int_census__early_help') }}
    group by child_id
),

tehadc_children as (
    select
        children.child_id as child_key,
        children.la_child_id,
        children.upn,
        children.former_upn,
        -- UN7 ("referral with no further action") has no meaning for early help.
        nullif(children.upn_unknown_code, 'UN7') as upn_unknown,
        children.birth_date as person_birth_date,
        children.expected_birth_date as expected_person_birth_date,
        children.sex,
        children.death_date as person_death_date,
        children.ethnicity_code as ethnicity,
        cohort.family_id
    from cohort
    inner join {{ ref('int_census__children') }} as children using (child_id)
)

select * from tehadc_children
