-- Assessments under way on any day of the window, and help still given on the date that none of them stands for: by
-- the early help service, else (for children it never told of) as the case system or a Family Help plan has it.
-- A child in need on the date is on list 6 instead, and not on both.
with organisations as (
    select
        code,
        meaning
    from staging.codes
    where code_list = 'organisation_type'
),

assessments as (
    select distinct
        records.child_id,
        assessments.teh_episode_id,
        assessments.start_date,
        case when assessments.completion_date <= $on then assessments.completion_date end as completion_date,
        assessments.organisation_code
    from staging.stg_early_help__assessments as assessments
    inner join inspected_records as records using (record_key)
    where assessments.start_date <= $on
),

in_window as (
    select * from assessments
    where coalesce(completion_date >= $since, true)
),

told_by_early_help as (
    select distinct records.child_id
    from staging.stg_early_help__persons
    inner join inspected_records as records using (record_key)
),

open_episodes as (
    select distinct
        records.child_id,
        episodes.teh_episode_id,
        episodes.start_date
    from staging.stg_early_help__episodes as episodes
    inner join inspected_records as records using (record_key)
    where episodes.start_date <= $on and coalesce(episodes.end_date > $on, true)
),

help_of_service as (
    -- The last assessment of the episode, however old; the episode's own start where none was made.
    select
        episodes.child_id,
        coalesce(assessments.start_date, episodes.start_date) as start_date,
        assessments.completion_date,
        coalesce(assessments.organisation_code, leads.agency_code) as organisation_code
    from open_episodes as episodes
    anti join in_window using (child_id, teh_episode_id)
    left join assessments using (child_id, teh_episode_id)
    left join (
        select
            records.child_id,
            leads.teh_episode_id,
            leads.agency_code,
            leads.start_date
        from staging.stg_early_help__lead_practitioners as leads
        inner join inspected_records as records using (record_key)
        where leads.start_date <= $on and coalesce(leads.end_date > $on, true)
    ) as leads using (child_id, teh_episode_id)
    qualify row_number() over (
        partition by episodes.child_id, episodes.teh_episode_id
        order by assessments.start_date desc nulls last, leads.start_date desc nulls last, leads.agency_code asc
    ) = 1
),

told_by_case_system as (
    select
        records.child_id,
        episodes.start_date,
        episodes.organisation as organisation_code
    from staging.stg_case_system__early_help_episodes as episodes
    inner join inspected_records as records using (record_key)
    where episodes.start_date <= $on and coalesce(episodes.end_date > $on, true)
    union all
    select
        records.child_id,
        plans.start_date,
        episodes.agency_code
    from staging.stg_case_system__family_help_plans as plans
    inner join staging.stg_case_system__family_help_episodes as episodes using (family_help_id)
    inner join inspected_records as records using (record_key)
    where
        plans.plan_type_code = 'TEH'
        and plans.start_date <= $on
        and coalesce(least(plans.end_date, episodes.end_date) > $on, true)
),

help_of_case_system as (
    select
        child_id,
        start_date,
        null::date as completion_date,
        organisation_code
    from told_by_case_system
    anti join told_by_early_help using (child_id)
    qualify row_number() over (partition by child_id order by start_date, organisation_code nulls last) = 1
),

help_now as (
    select * from help_of_service
    union all by name
    select * from help_of_case_system
),

in_need_now as (
    select child_id from inspected_episodes_of_need
    where closure_date is null
),

listed as (
    select
        child_id,
        start_date,
        completion_date,
        organisation_code
    from in_window
    union all by name
    select * from help_now
    anti join in_need_now using (child_id)
)

select
    people.*,
    listed.start_date as assessment_start_date,
    listed.completion_date as assessment_completion_date,
    coalesce(organisations.meaning, listed.organisation_code) as assessing_organisation
from listed
inner join inspected_people as people using (child_id)
left join organisations on listed.organisation_code = organisations.code
