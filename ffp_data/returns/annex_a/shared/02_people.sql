-- People as they were on the inspection date. Born later: unborn on that date, so without birth date, age or sex.
with disabilities as (
    select
        child_id,
        bool_or(disability_code != 'NONE') as is_disabled
    from intermediate.int_census__disabilities
    group by child_id
)

select
    numbers.child_id,
    numbers.la_child_id as child_unique_id,
    case when particulars.date_of_birth <= $on then coalesce(particulars.sex, 'U') else 'U' end as gender,
    particulars.ethnicity_code as ethnicity,
    case when particulars.date_of_birth <= $on then particulars.date_of_birth end as date_of_birth,
    case
        when particulars.date_of_birth <= $on then date_sub('year', particulars.date_of_birth, $on)
    end as age,
    -- Nobody stated anything: unknown, which is not the same as none.
    case disabilities.is_disabled when true then 'Y' when false then 'N' else 'U' end as disability,
    particulars.date_of_birth as birthday
from intermediate.int_persons__case_numbers as numbers
inner join intermediate.int_census__particulars as particulars using (child_id)
left join disabilities using (child_id)
