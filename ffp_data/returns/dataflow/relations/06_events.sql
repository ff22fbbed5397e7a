-- What hangs on an episode, by the number of its referral where that is given and known, else by child and day (numbers
-- may change overnight). An event that stands on two records of one child is told once.
with told as (
    select
        'assessment' as kind,
        record_key,
        delivery_id,
        assessment_id as event_key,
        referral_id,
        coalesce(start_date, authorisation_date) as since,
        authorisation_date as until,
        null as worker_key
    from staging.stg_case_system__assessments
    union all
    select
        'need_plan',
        record_key,
        delivery_id,
        plan_id,
        referral_id,
        start_date,
        end_date,
        null
    from staging.stg_case_system__need_plans
    union all
    select
        'enquiry',
        record_key,
        delivery_id,
        enquiry_id,
        referral_id,
        start_date,
        end_date,
        null
    from staging.stg_case_system__enquiries
    union all
    select
        'protection_plan',
        record_key,
        delivery_id,
        plan_id,
        referral_id,
        start_date,
        end_date,
        null
    from staging.stg_case_system__protection_plans
    union all
    select
        'worker',
        record_key,
        delivery_id,
        involvement_id,
        referral_id,
        start_date,
        end_date,
        professional_id
    from staging.stg_case_system__worker_involvements
    union all
    select
        'placement',
        record_key,
        delivery_id,
        placement_id,
        care.referral_id,
        start_date,
        end_date,
        null
    from staging.stg_case_system__placements
    left join memory.dataflow.care as care using (placement_id)
),

known as (
    select
        child_id,
        referral_id,
        canonical_referral_id
    from intermediate.int_census__referrals
),

linked as (
    select
        episodes.child_key,
        episodes.episode_key,
        told.*
    from told
    inner join intermediate.int_persons__records as records using (record_key)
    left join known on records.child_id = known.child_id and told.referral_id = known.referral_id
    inner join memory.dataflow.episodes as episodes
        on
            records.child_id = episodes.child_key
            and case
                when known.referral_id is not null then known.canonical_referral_id = episodes.episode_key
                else told.since >= episodes.referral_date and coalesce(told.since <= episodes.closure_date, true)
            end
    where told.since <= $as_at
    qualify row_number() over (
        partition by told.kind, told.record_key, told.event_key
        order by episodes.referral_date desc, episodes.episode_key asc
    ) = 1
),

once as (
    select * from linked
    qualify row_number() over (
        partition by kind, episode_key, since, until, worker_key order by length(event_key), event_key
    ) = 1
)

select
    child_key,
    episode_key,
    kind,
    event_key,
    split_part(event_key, '@' || delivery_id, 1) as event_number,
    worker_key,
    since,
    case when until <= $as_at then until end as until
from once
