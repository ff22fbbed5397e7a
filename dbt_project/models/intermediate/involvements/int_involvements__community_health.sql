-- What was only planned, called off or taken back as a mistake is no work with the child.
with spells as (
    select
        records.child_id,
        episodes.start_date as since,
        case
            when episodes.end_date <= {{ as_at() }} then episodes.end_date
            when episodes.end_date is null and episodes.status_code = 'finished' then episodes.start_date
        end as until,
        episodes.care_manager as contact_name,
        episodes.team_phone as contact_phone,
        episodes.service as team,
        records.record_key,
        false as is_withheld,
        episodes.delivery_id,
        episodes.line,
        {{ origin('episodes_of_care', 'episodes') }} as origin
    from {{ ref('stg_health_fhir__episodes_of_care') }} as episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        episodes.start_date <= {{ as_at() }}
        and coalesce(episodes.status_code not in ('planned', 'cancelled', 'entered-in-error'), true)
)

select * from spells
