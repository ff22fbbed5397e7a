-- The latest contact, with the child's newest episode: the source ties it to none.
with newest_episodes as (
    select
        child_key,
        episode_key
    from memory.dataflow.episodes
    qualify row_number() over (partition by child_key order by referral_date desc, episode_key asc) = 1
)

select
    newest_episodes.child_key,
    newest_episodes.episode_key,
    told.contact_date,
    told.activity_code as activity,
    told.accommodation_code as accommodation
from staging.stg_case_system__care_leavers as told
inner join intermediate.int_persons__records as records using (record_key)
inner join newest_episodes on records.child_id = newest_episodes.child_key
where told.contact_date between $window_start and $as_at
qualify row_number() over (
    partition by records.child_id order by told.contact_date desc, told.activity_code asc, told.accommodation_code asc
) = 1
