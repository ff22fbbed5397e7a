-- Children of social care and early help of whom no agency has told an NHS number, in the particulars of one record
-- each: what a national demographics search is asked with. Whoever must not be located is left out, and so is a child
-- who was adopted, whose old and new identity nothing may tie together.
with children as (
    select * from {{ ref('int_persons__children') }}
    where
        nhs_number is null
        and not is_restricted
        and not is_unborn
        and age_years < 19
),

records as (
    select * from {{ ref('int_persons__records') }}
    where feed in ('case_system', 'early_help')
),

adopted as (
    select * from {{ ref('int_matching__adopted') }}
),

requests as (
    select
        records.record_key,
        records.given_name,
        records.surname,
        records.date_of_birth,
        case records.sex when 'M' then 'male' when 'F' then 'female' end as gender,
        records.postcode
    from records
    inner join children using (child_id)
    anti join adopted using (child_id)
    -- The matcher searches for nobody without these.
    where
        records.given_name is not null
        and records.surname is not null
        and records.date_of_birth is not null
    qualify row_number() over (partition by records.child_id order by records.survivorship_order) = 1
)

select * from requests
