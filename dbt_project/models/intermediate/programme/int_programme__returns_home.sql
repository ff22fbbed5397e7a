-- Who left care to parents in the last three years, and whether they came back. A new episode on the day on which one
-- ends is a change within care. E4A and E4B: returned home to parents, planned or not (DfE, children looked after
-- return, guide 2025 to 2026, reason episode ceased).
with episodes as (
    select distinct
        records.child_id,
        care.start_date,
        care.end_date,
        care.end_reason_code
    from {{ ref('stg_case_system__care_episodes') }} as care
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    semi join {{ ref('int_programme__people') }} using (child_id)
    where care.start_date <= {{ as_at() }}
),

ended as (
    select
        child_id,
        end_date
    from episodes
    where end_reason_code in ('E4A', 'E4B') and end_date <= {{ as_at() }} and end_date > {{ as_at() }} - to_years(3)
    group by child_id, end_date
),

still_in_care as (
    select distinct
        ended.child_id,
        ended.end_date
    from ended
    inner join episodes
        on
            ended.child_id = episodes.child_id
            and ended.end_date >= episodes.start_date
            and coalesce(ended.end_date < episodes.end_date, true)
),

came_back as (
    select
        ended.child_id,
        ended.end_date as left_date,
        min(episodes.start_date) as returned_date
    from ended
    anti join still_in_care
        on ended.child_id = still_in_care.child_id and ended.end_date = still_in_care.end_date
    left join episodes on ended.child_id = episodes.child_id and ended.end_date < episodes.start_date
    group by ended.child_id, ended.end_date
),

returns_home as (
    select
        child_id,
        left_date,
        returned_date,
        case
            when left_date > {{ as_at() }} - to_years(1) then 'in the last 12 months'
            when left_date > {{ as_at() }} - to_years(2) then '12 to 24 months ago'
            else '24 to 36 months ago'
        end as left_care,
        case
            when returned_date <= left_date + to_months(12) then 'returned within 12 months'
            when returned_date <= left_date + to_months(24) then 'returned within 24 months'
            when left_date + to_months(24) <= {{ as_at() }} then 'not returned within 24 months'
            else 'not returned yet'
        end as outcome
    from came_back
)

select * from returns_home
