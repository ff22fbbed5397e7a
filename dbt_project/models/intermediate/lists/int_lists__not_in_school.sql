-- The education welfare team's own list, as it stands on the day.
with open_episodes as (
    select
        records.child_id,
        records.feed,
        records.is_confident,
        episodes.*
    from {{ ref('stg_not_in_school__episodes') }} as episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        episodes.start_date <= {{ as_at() }}
        and coalesce(episodes.end_date > {{ as_at() }}, true)
        and episodes.status_code in ('CME', 'EHE')
),

entries as (
    select
        case status_code when 'CME' then 'missing_education' else 'home_educated' end as list_id,
        child_id,
        start_date as since,
        concat(
            case status_code when 'CME' then 'missing education' else 'educated at home' end || ' since ' || start_date,
            case
                when status_code != 'EHE' then null
                when suitability_code = 'yes' then ', judged suitable'
                when suitability_code = 'no' then ', judged not suitable'
                else ', not judged yet'
            end,
            case
                when last_seen_date <= {{ as_at() }} then ', last seen on ' || last_seen_date
                else ', no day on which the child was seen is recorded'
            end
        ) as facts,
        [feed] as feeds,
        is_confident
    from open_episodes
)

select * from entries
