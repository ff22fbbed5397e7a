-- Targeted early help open on any day of the year. Whether an episode belongs in the return (a plan and a lead
-- practitioner at some time) its profile decides, and reports what it leaves out. Someone already 18 when it began is
-- left out here.
with episodes as (
    select
        records.child_id,
        episodes.*
    from {{ ref('stg_early_help__episodes') }} as episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        episodes.start_date <= {{ period_end() }}
        and coalesce(episodes.end_date >= {{ period_start() }}, true)
),

of_children as (
    select episodes.*
    from episodes
    inner join {{ ref('int_census__particulars') }} as particulars using (child_id)
    where coalesce(date_sub('year', particulars.date_of_birth, episodes.start_date) < 18, true)
),

once as (
    -- A child entered twice in the early help module has the same episode twice.
    select * from of_children
    qualify row_number() over (partition by child_id, teh_episode_id order by record_key) = 1
),

dated as (
    select
        * exclude (end_date, closure_reason_code),
        {{ known_by('end_date', period_end()) }} as end_date,
        case when coalesce(end_date <= {{ period_end() }}, true) then closure_reason_code end as closure_reason_code
    from once
)

select * from dated
