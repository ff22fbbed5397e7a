-- Initial conferences with no section 47 enquiry of ours (a family that moved in under a plan): these, and only these,
-- are given on the episode itself (rules 2884 and 2885).
with linked as (
    {{ with_episode(ref('stg_case_system__conferences'), 'conference_date') }}
),

enquiries as (
    select enquiry_id from {{ ref('stg_case_system__enquiries') }}
),

alone as (
    select
        linked.child_id,
        linked.cin_key,
        min(linked.conference_date) as conference_date
    from linked
    left join enquiries using (enquiry_id)
    where
        linked.conference_date between {{ period_start() }} and {{ period_end() }}
        and (enquiries.enquiry_id is null or coalesce(linked.is_transfer_in, false))
    group by linked.child_id, linked.cin_key
)

select * from alone
