-- Particulars of a child as the returns ask for them, from the surviving values; the deaths and UPN reasons that only
-- the two council systems hold.
with statements as (
    select record_key, upn_unknown_code, death_date from {{ ref('stg_case_system__persons') }}
    union all
    select record_key, upn_unknown_code, null from {{ ref('stg_early_help__persons') }}
),

council as (
    select
        records.child_id,
        arg_min(statements.upn_unknown_code, records.survivorship_order) as upn_unknown_code,
        arg_min(statements.death_date, records.survivorship_order) as death_date
    from statements
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    group by records.child_id
),

children as (
    select
        survivors.child_id,
        case_numbers.la_child_id,
        survivors.upn,
        case when survivors.former_upn != survivors.upn then survivors.former_upn end as former_upn,
        case when survivors.upn is null then council.upn_unknown_code end as upn_unknown_code,
        -- Born after the reference date: unborn on it.
        {{ known_by('survivors.date_of_birth', period_end()) }} as birth_date,
        case
            when survivors.date_of_birth is null then survivors.expected_birth_date
            when survivors.date_of_birth > {{ period_end() }}
                then coalesce(survivors.expected_birth_date, survivors.date_of_birth)
        end as expected_birth_date,
        case
            when survivors.date_of_birth <= {{ period_end() }} then coalesce(survivors.sex, 'U')
            else 'U'
        end as sex,
        {{ known_by('council.death_date', period_end()) }} as death_date,
        coalesce(ethnicity.ethnicity_code, 'NOBT') as ethnicity_code
    from {{ ref('int_persons__survivors') }} as survivors
    inner join {{ ref('int_persons__case_numbers') }} as case_numbers using (child_id)
    left join council using (child_id)
    left join {{ ref('int_persons__ethnicity') }} as ethnicity using (child_id)
)

select * from children
