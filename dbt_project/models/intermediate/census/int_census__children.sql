-- A child as the returns ask for it on the reference date: one number in CIN census and TEHADC alike.
with particulars as (
    select * from {{ ref('int_census__particulars') }}
),

case_numbers as (
    select * from {{ ref('int_persons__case_numbers') }}
),

children as (
    select
        particulars.child_id,
        case_numbers.la_child_id,
        particulars.stated_upn as upn,
        nullif(particulars.former_upn, particulars.stated_upn) as former_upn,
        case when particulars.stated_upn is null then particulars.upn_unknown_code end as upn_unknown_code,
        {{ known_by('particulars.date_of_birth', period_end()) }} as birth_date,
        -- Born after the reference date: unborn on it.
        case
            when particulars.date_of_birth is null then particulars.expected_birth_date
            when particulars.date_of_birth > {{ period_end() }}
                then coalesce(particulars.expected_birth_date, particulars.date_of_birth)
        end as expected_birth_date,
        case
            when particulars.date_of_birth <= {{ period_end() }} then coalesce(particulars.sex, 'U')
            when particulars.date_of_birth is null and particulars.expected_birth_date is null
                then coalesce(particulars.sex, 'U')
            else 'U'
        end as sex,
        {{ known_by('particulars.death_date', period_end()) }} as death_date,
        particulars.ethnicity_code
    from particulars
    inner join case_numbers using (child_id)
)

select * from children
