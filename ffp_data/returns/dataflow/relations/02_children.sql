-- Particulars from the feeds whose agreements name returns as a purpose, as in the census.
with records as (
    select * from intermediate.int_persons__records
    where is_for_returns
),

names as (
    select
        child_id,
        arg_min(given_name, survivorship_order) filter (where given_name is not null) as given_name,
        arg_min(surname, survivorship_order) filter (where surname is not null) as surname,
        arg_min(postcode, survivorship_order) filter (where postcode is not null) as postcode
    from records
    group by child_id
),

-- Unaccompanied asylum seekers; who left that status before the window is none.
statuses as (
    select
        records.child_id,
        list_contains($unaccompanied_words, upper(trim(statuses.immigration_status)))
        and statuses.start_date <= $as_at
        and coalesce(statuses.end_date >= $window_start, true) as is_unaccompanied,
        case when statuses.end_date <= $as_at then statuses.end_date end as end_date
    from staging.stg_case_system__immigration_statuses as statuses
    inner join records using (record_key)
),

unaccompanied as (
    select
        child_id,
        case when count(*) = count(end_date) then max(end_date) end as end_date
    from statuses
    where is_unaccompanied
    group by child_id
)

select
    cohort.child_id as child_key,
    cohort.la_child_id,
    nullif(regexp_replace(own.source_person_id, '[^A-Za-z0-9_-]', '', 'g'), '') as mis_child_id,
    particulars.upn as unique_pupil_number,
    nullif(particulars.former_upn, particulars.upn) as former_unique_pupil_number,
    case when particulars.upn is null then particulars.upn_unknown_code end as unique_pupil_number_unknown_reason,
    names.given_name as first_name,
    names.surname,
    case when particulars.date_of_birth <= $as_at then particulars.date_of_birth end as date_of_birth,
    -- Born after the day: unborn on it.
    case
        when particulars.date_of_birth is null then particulars.expected_birth_date
        when
            particulars.date_of_birth > $as_at
            then coalesce(particulars.expected_birth_date, particulars.date_of_birth)
    end as expected_date_of_birth,
    case when particulars.date_of_birth <= $as_at then coalesce(particulars.sex, 'U') else 'U' end as sex,
    particulars.ethnicity_code as ethnicity,
    case when not survivors.is_restricted then names.postcode end as postcode,
    -- A drop without any status says nothing of this child's.
    case
        when exists (select 1 from statuses) then unaccompanied.child_id is not null
    end as uasc_flag,
    unaccompanied.end_date as uasc_end_date
from memory.dataflow.cohort as cohort
inner join intermediate.int_census__particulars as particulars using (child_id)
inner join intermediate.int_persons__survivors as survivors using (child_id)
left join names using (child_id)
left join unaccompanied using (child_id)
left join records as own on cohort.la_child_record_key = own.record_key
