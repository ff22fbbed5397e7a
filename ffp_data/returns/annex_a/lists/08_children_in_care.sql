-- The period of care of the date, else the last one that ceased in the window; one row per child, under 18 on a day of
-- the window.
with latest as (
    select * from inspected_care_periods
    where coalesce(end_date >= $since, true)
    qualify row_number() over (partition by child_id order by start_date desc) = 1
),

periods_of_year as (
    select
        child_id,
        count(*) as period_count
    from inspected_care_periods
    where coalesce(end_date >= $on - to_months($count_months), true)
    group by child_id
),

placements_of_year as (
    select
        child_id,
        count(distinct placement_id) as placement_count
    from inspected_care_episodes
    where coalesce(end_date >= $on - to_months($count_months), true)
    group by child_id
    having count(placement_id) > 0
),

placements as (
    select
        child_id,
        placement_id,
        min(start_date) as start_date
    from inspected_care_episodes
    where placement_id is not null
    group by child_id, placement_id
),

unaccompanied as (
    select distinct child_id from inspected_unaccompanied
    where coalesce(end_date >= $on - to_months($count_months), true)
),

absences as (
    select distinct
        records.child_id,
        missing.start_date,
        case when upper(missing.episode_type) in ('M', 'MISSING') then 'M' else 'A' end as kind,
        upper(left(missing.return_interview_offered, 1)) as offered,
        upper(left(missing.return_interview_accepted, 1)) as accepted,
        upper(missing.return_interview_offered) = 'NA' as is_offer_not_applicable,
        upper(missing.return_interview_accepted) = 'NA' as is_acceptance_not_applicable
    from staging.stg_case_system__missing_episodes as missing
    inner join inspected_records as records using (record_key)
    where
        missing.start_date between $on - to_months($count_months) and $on
        and upper(missing.episode_type) in ('M', 'MISSING', 'A', 'ABSENT', 'AWAY')
),

away as (
    select
        absences.child_id,
        count(distinct absences.start_date) filter (where absences.kind = 'M') as missing_count,
        count(distinct absences.start_date) filter (where absences.kind = 'A') as absent_count
    from absences
    group by absences.child_id
),

last_missing as (
    select
        child_id,
        case when not coalesce(is_offer_not_applicable, false) then offered end as offered,
        case when not coalesce(is_acceptance_not_applicable, false) then accepted end as accepted
    from absences
    where kind = 'M'
    qualify
        row_number()
            over (partition by child_id order by start_date desc, offered asc nulls last, accepted asc nulls last)
        = 1
)

select
    people.*,
    case
        when people.child_id in (select child_id from unaccompanied) then 'Y'
        when exists (select 1 from staging.stg_case_system__immigration_statuses) then 'N'
    end as asylum_seeker,
    latest.start_date as care_start_date,
    latest.primary_need_code as primary_need,
    case when periods_of_year.period_count > 1 then 'Y' else 'N' end as second_period,
    latest.legal_status_start_date,
    latest.legal_status_code as legal_status,
    latest.reviewing_officer_contact_date,
    placements_of_year.placement_count,
    latest.end_date as care_end_date,
    latest.end_reason_code as care_end_reason,
    placements.start_date as placement_start_date,
    told.placement_type,
    told.postcode as placement_postcode,
    coalesce(away.missing_count, 0) as missing_count,
    coalesce(away.absent_count, 0) as absent_count,
    last_missing.offered as return_interview_offered,
    last_missing.accepted as return_interview_accepted,
    case when allocations.is_current or latest.end_date is not null then allocations.team end as allocated_team,
    case when allocations.is_current or latest.end_date is not null then allocations.worker end as allocated_worker
from latest
inner join inspected_people as people using (child_id)
left join periods_of_year using (child_id)
left join placements_of_year using (child_id)
left join placements using (child_id, placement_id)
left join inspected_placements as told using (child_id, placement_id)
left join away using (child_id)
left join last_missing using (child_id)
left join inspected_allocations as allocations using (child_id)
where coalesce(people.birthday + to_years($adult_age) > $since, true)
