-- Who should stand on each list, by what is true: the truth of the partnership, and for which service works with whom the
-- rows as delivered, each brought to its person by the truth. Nothing here reads a link, a model of the hub or its marts.
-- Variables: as_at (the day).

create or replace temp view born as
select
    person_id,
    family_id,
    mother_id,
    father_id,
    birth_date::date as birth_date,
    unborn = '1' as is_unborn,
    date_sub('year', birth_date::date, getvariable('as_at')) as age
from persons
where birth_date::date > getvariable('as_at') - to_years(18);

create or replace temp view social_worker as
select distinct person_id from involvement
where
    service in ('child_in_need', 'child_protection', 'looked_after')
    and start_date::date <= getvariable('as_at')
    and coalesce(end_date::date > getvariable('as_at'), true);

create or replace temp view school_year as
select make_date(year(getvariable('as_at')) - (month(getvariable('as_at')) < 9)::int, 9, 1) as first_day;

-- Codes of working together to improve school attendance (DfE, August 2024): D is no possible session, and what no
-- register may hold is none either.
create or replace temp view absence as
select
    person_id,
    sum(sessions::int) filter (where attendance_code in ('/', '\', 'L', 'V', 'B', 'I', 'M', 'O', 'N', 'U', 'C', 'E', 'S', 'G'))
        as possible,
    coalesce(sum(sessions::int) filter (where attendance_code in ('I', 'M', 'O', 'N', 'U', 'C', 'E', 'S', 'G')), 0) as absent
from sessions
group by person_id;

create or replace temp view steps as
select help.person_id
from involvement as help
inner join involvement as need on help.person_id = need.person_id
where
    help.service = 'early_help' and need.service = 'child_in_need'
    and (
        (
            need.start_date::date between help.start_date::date and coalesce(help.end_date::date + 30, getvariable('as_at'))
            and need.start_date::date > getvariable('as_at') - 91
        )
        or (
            help.start_date::date between need.end_date::date and need.end_date::date + 30
            and help.start_date::date > getvariable('as_at') - 91
        )
    );

create or replace temp view referred as
select distinct
    person_id,
    start_date::date as day
from involvement
where service in ('child_in_need', 'referral_nfa');

create or replace temp view adults as
select
    child.person_id,
    adult.person_id as adult_id
from born as child
inner join persons as adult
    on
        adult.person_id in (child.mother_id, child.father_id)
        or (adult.family_id = child.family_id and adult.is_child = '0');

create or replace temp view police_contacts as
select
    r.person_id,
    e.occurred_from::date as day
from raw.police_safeguarding__links as l
inner join raw.police_safeguarding__events as e using (event_id)
inner join records as r on split_part(r.record_key, '|', 1) = 'police_safeguarding' and l.nominal_id = split_part(r.record_key, '|', 3)
union all
select
    r.person_id,
    p.occurred_on::date
from (
    select record_key, occurred_on from raw.police_pole__victims
    union all
    select record_key, occurred_on from raw.police_pole__subjects
    union all
    select record_key, occurred_on from raw.police_pole__household_children
    union all
    select record_key, occurred_on from raw.police_pole__detained
) as p
inner join records as r using (record_key);

create or replace temp view services as
select person_id, 'social_care' as service from involvement
where
    service in ('child_in_need', 'looked_after')
    and start_date::date <= getvariable('as_at') and coalesce(end_date::date > getvariable('as_at'), true)
union
select person_id, 'early_help' from involvement
where
    service = 'early_help'
    and start_date::date <= getvariable('as_at') and coalesce(end_date::date > getvariable('as_at'), true)
union
select person_id, 'police' from police_contacts
where day between getvariable('as_at') - 365 and getvariable('as_at')
union
select r.person_id, 'housing' from raw.housing__people as h
inner join records as r using (record_key)
where h.application_date <= getvariable('as_at') and coalesce(h.case_closed > getvariable('as_at'), true)
union
select r.person_id, 'youth_justice' from raw.youth_justice__interventions as y
inner join records as r using (record_key)
where y.intervention_start <= getvariable('as_at') and coalesce(y.intervention_end > getvariable('as_at'), true)
union
select a.person_id, 'probation' from adults as a
inner join records as r on a.adult_id = r.person_id
inner join raw.probation__persons as p using (record_key)
left join raw.probation__sentences as s on p.record_key = s.record_key
where coalesce(s.is_active, false) or coalesce(p.under_active_supervision, false)
union
select person_id, 'prison' from programme_cases
where kind = 'parent_in_prison' and detail = 'held';

create or replace temp view risks as
select r.person_id from raw.police_safeguarding__links as l
inner join raw.police_safeguarding__events as e using (event_id)
inner join records as r
    on split_part(r.record_key, '|', 1) = 'police_safeguarding' and l.nominal_id = split_part(r.record_key, '|', 3)
where
    e.event_type in ('EXPLOITATION_RISK', 'MISSING_EPISODE') and l.role in ('CHILD_SUBJECT', 'VICTIM', 'CHILD_IN_HOUSEHOLD')
    and e.occurred_from::date between (getvariable('as_at') - to_months(12))::date + 1 and getvariable('as_at')
union
select r.person_id from raw.case_system__ssd_missing as m
inner join records as r using (record_key)
where
    m.miss_missing_episode_start_date
    between (getvariable('as_at') - to_months(12))::date + 1 and getvariable('as_at');

create or replace temp view several as
select person_id from services
group by person_id
having count(*) >= 2;

create or replace temp view in_lists_of as
select distinct
    person_id,
    case split_part(record_key, '|', 1)
        when 'health_fhir' then 'community_health'
        when 'education_attendance' then 'education'
        when 'school_census_attendance' then 'education'
        when 'ctf' then 'education'
        when 'not_in_school' then 'education'
    end as service
from records;

-- Compulsory school age: from the first of 31 March, 31 August and 31 December on or after the fifth birthday.
create or replace temp view of_school_age as
select person_id from born
cross join school_year
where
    (
        select min(day) from (
            values (make_date(year(birth_date) + 5, 3, 31)), (make_date(year(birth_date) + 5, 8, 31)),
            (make_date(year(birth_date) + 5, 12, 31))
        ) as days (day)
        where day >= (birth_date + to_years(5))::date
    ) <= getvariable('as_at')
    and date_sub('year', birth_date, school_year.first_day - 1) <= 15;

create or replace temp table should_be_listed as
select 'severely_absent_no_social_worker' as list_id, person_id from absence
inner join born using (person_id)
cross join school_year
anti join social_worker using (person_id)
where possible >= 20 and absent * 2 >= possible and date_sub('year', birth_date, school_year.first_day - 1) between 5 and 15
union
select kind, person_id from programme_cases
where kind in ('missing_education', 'home_educated', 'parent_in_prison')
union
select 'step_up_or_down', person_id from steps
union
select 'referred_again', later.person_id from referred as later
inner join referred as earlier using (person_id)
where
    later.day > (getvariable('as_at') - to_months(12))::date and earlier.day < later.day
    and (earlier.day + to_months(12))::date >= later.day
union
select 'no_group_decision', person_id from programme_cases
where kind = 'fgdm_not_offered' and since::date > (getvariable('as_at') - to_months(12))::date
union
select 'package_not_paid', person_id from programme_cases
where kind = 'fnsp_not_paid'
union
select 'baby_known_to_several', person_id from several
inner join born using (person_id)
where is_unborn or age < 1
union
select 'teenager_at_risk_outside', person_id from several
inner join born using (person_id)
semi join risks using (person_id)
where age between 13 and 17
union
select 'not_reached', person_id from of_school_age
anti join (select person_id from in_lists_of where service = 'education') as there using (person_id)
union
select 'not_reached', person_id from born
anti join (select person_id from in_lists_of where service = 'community_health') as there using (person_id)
where not is_unborn and age < 5 and birth_date + 14 <= getvariable('as_at');
