-- Who has reached the threshold by the days looked after that the case system tells of.
with days as (
    select
        periods.child_id,
        people.birthday,
        sum(
            greatest(
                0,
                date_diff(
                    'day',
                    greatest(periods.start_date, (people.birthday + to_years($counted_from_age))::date),
                    least(coalesce(periods.end_date, $on), (people.birthday + to_years($adult_age))::date)
                )
            )
        ) as day_count,
        bool_or(coalesce(periods.end_date, $on) >= people.birthday + to_years($threshold_age)) as is_after_threshold,
        bool_or(periods.end_date is null) as is_looked_after
    from inspected_care_periods as periods
    inner join inspected_people as people using (child_id)
    where people.birthday <= $on and periods.start_date < people.birthday + to_years($adult_age)
    group by periods.child_id, people.birthday
),

aged as (
    select
        *,
        date_sub('year', birthday, $on) as age_years
    from days
),

categories as (
    select
        child_id,
        case
            when day_count >= $counted_days and age_years >= $adult_age then 'FORMER_RELEVANT'
            when day_count >= $counted_days and is_looked_after then 'ELIGIBLE'
            when day_count >= $counted_days then 'RELEVANT'
            when not is_looked_after and age_years < $qualifying_until_age then 'QUALIFYING'
        end as eligibility
    from aged
    where is_after_threshold and age_years >= $threshold_age and age_years < $until_age
),

told as (
    select
        records.child_id,
        max(leavers.contact_date) as contact_date,
        arg_max(upper(trim(leavers.accommodation_code)), leavers.contact_date) as accommodation
    from staging.stg_case_system__care_leavers as leavers
    inner join inspected_records as records using (record_key)
    where leavers.contact_date <= $on
    group by records.child_id
)

select
    people.*,
    case
        when people.child_id in (select child_id from inspected_unaccompanied) then 'Y'
        when exists (select 1 from staging.stg_case_system__immigration_statuses) then 'N'
    end as asylum_seeker,
    categories.eligibility,
    told.contact_date,
    told.accommodation,
    allocations.team as allocated_team,
    allocations.worker as allocated_worker
from categories
inner join inspected_people as people using (child_id)
left join told using (child_id)
left join inspected_allocations as allocations
    on categories.child_id = allocations.child_id and allocations.is_current
where categories.eligibility is not null
