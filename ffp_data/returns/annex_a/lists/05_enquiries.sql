-- Section 47 enquiries under way on any day of the window, undecided ones included. Both counts are of the 12 months
-- before this enquiry, itself left out.
with enquiries as (
    select
        records.child_id,
        enquiries.enquiry_id,
        enquiries.start_date,
        case when enquiries.end_date <= $on then enquiries.end_date end as end_date,
        coalesce(
            json_extract_string(enquiries.outcome_json, '$.CP_CONFERENCE_FLAG') in ('Y', 'y', '1', 'true'), false
        ) as is_conference_called,
        enquiries.team,
        professionals.professional_name as worker
    from staging.stg_case_system__enquiries as enquiries
    inner join inspected_records as records using (record_key)
    left join staging.stg_case_system__professionals as professionals
        on enquiries.worker_id = professionals.professional_id
    where enquiries.start_date <= $on
),

conferences as (
    -- A conference for a family that moved in under a plan answers no enquiry of ours.
    select
        records.child_id,
        conferences.enquiry_id,
        conferences.conference_date,
        conferences.is_plan_agreed
    from staging.stg_case_system__conferences as conferences
    inner join inspected_records as records using (record_key)
    where conferences.conference_date <= $on and not coalesce(conferences.is_transfer_in, false)
),

held as (
    select
        enquiries.*,
        conferences.conference_date,
        conferences.is_plan_agreed
    from enquiries
    left join conferences using (child_id, enquiry_id)
    qualify row_number() over (
        partition by enquiries.child_id, enquiries.enquiry_id order by conferences.conference_date
    ) = 1
),

placed as (
    select
        *,
        row_number() over (partition by child_id order by start_date, end_date nulls last, enquiry_id) as place
    from held
    qualify row_number() over (partition by child_id, start_date, end_date, conference_date order by enquiry_id) = 1
),

earlier_enquiries as (
    select
        placed.child_id,
        placed.place,
        count(others.place) as earlier_count
    from placed
    left join placed as others
        on
            placed.child_id = others.child_id
            and placed.place > others.place
            and others.start_date >= placed.start_date - to_months($count_months)
    group by placed.child_id, placed.place
),

earlier_conferences as (
    select
        placed.child_id,
        placed.place,
        count(distinct conferences.conference_date) as earlier_count
    from placed
    left join conferences
        on
            placed.child_id = conferences.child_id
            and placed.start_date > conferences.conference_date
            and conferences.conference_date >= placed.start_date - to_months($count_months)
    group by placed.child_id, placed.place
)

select
    people.*,
    placed.start_date as strategy_discussion_date,
    case
        when placed.conference_date is not null then 'N'
        when placed.end_date is null then null
        when placed.is_conference_called then 'N'
        else 'Y'
    end as conference_unnecessary,
    placed.conference_date,
    case
        when placed.conference_date is null then null
        when placed.is_plan_agreed then 'Y'
        when not placed.is_plan_agreed then 'N'
        else 'U'
    end as plan_resulted,
    earlier_enquiries.earlier_count as enquiry_count,
    earlier_conferences.earlier_count as conference_count,
    placed.team as allocated_team,
    placed.worker as allocated_worker
from placed
inner join earlier_enquiries using (child_id, place)
inner join earlier_conferences using (child_id, place)
inner join inspected_people as people using (child_id)
where coalesce(placed.end_date >= $since, true)
