-- From the section 47 enquiry to the initial conference. A conference without a known enquiry has no start and is told
-- as an exclusion, and so is a transfer in, which DfE's collection reports apart.
with conferences as (
    select
        records.child_id,
        records.is_confident,
        coalesce(facts.is_transfer_in, false) as is_transfer,
        facts.*
    from {{ ref('stg_case_system__conferences') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where facts.conference_date <= {{ as_at() }}
),

held as (
    select
        enquiry_id,
        min(conference_date) as conference_date
    from conferences
    where not is_transfer
    group by enquiry_id
),

closed as (
    select
        referral_id,
        min(closure_date) as closure_date
    from {{ ref('stg_case_system__referrals') }}
    where closure_date <= {{ as_at() }}
    group by referral_id
),

of_children as (
    select
        records.child_id,
        records.is_confident,
        facts.*,
        held.conference_date,
        closed.closure_date
    from {{ ref('stg_case_system__enquiries') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join held using (enquiry_id)
    left join closed using (referral_id)
    where facts.start_date <= {{ as_at() }}
),

-- With its conference; or still running, or ended with a conference called for, until the case is closed.
enquiries as (
    select * from of_children
    where
        conference_date is not null
        or (
            closure_date is null
            and (coalesce(end_date > {{ as_at() }}, true) or {{ is_conference_called('outcome_json') }})
        )
    -- Entered on two records: one enquiry.
    qualify
        row_number() over (
            partition by child_id, start_date order by conference_date nulls last, record_key, enquiry_id
        ) = 1
),

alone as (
    select conferences.*
    from conferences
    left join of_children using (enquiry_id)
    where of_children.enquiry_id is null or conferences.is_transfer
    qualify
        row_number() over (
            partition by conferences.child_id, conferences.conference_date
            order by conferences.is_transfer desc, conferences.record_key asc, conferences.conference_id asc
        ) = 1
),

clocks as (
    select
        child_id,
        case when conference_date is null then 'TM-08' else 'TM-07' end as measure_id,
        start_date,
        conference_date as stop_date,
        null as exclusion,
        closure_date as case_closed_on,
        worker_id,
        team,
        is_confident,
        record_key,
        delivery_id,
        line
    from enquiries
    union all
    select
        alone.child_id,
        'TM-07',
        null,
        alone.conference_date,
        case when alone.is_transfer then 'transfer_in' else 'no_start_date' end,
        null,
        null,
        null,
        alone.is_confident,
        alone.record_key,
        alone.delivery_id,
        alone.line
    from alone
    -- The same conference, entered on another record of the child with its enquiry.
    anti join enquiries
        on
            alone.child_id = enquiries.child_id
            and alone.conference_date = enquiries.conference_date
            and not alone.is_transfer
)

select * from clocks
