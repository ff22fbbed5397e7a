with leads as (
    select
        record_key,
        teh_episode_id,
        practitioner_name,
        practitioner_phone,
        delivery_id,
        line
    from {{ ref('stg_early_help__lead_practitioners') }}
    where start_date <= {{ as_at() }}
    qualify row_number() over (
        partition by record_key, teh_episode_id
        order by end_date is null desc, start_date desc, appointment_id asc
    ) = 1
),

spells as (
    select
        records.child_id,
        episodes.start_date as since,
        case when episodes.end_date <= {{ as_at() }} then episodes.end_date end as until,
        leads.practitioner_name as contact_name,
        leads.practitioner_phone as contact_phone,
        null as team,
        records.record_key,
        false as is_withheld,
        episodes.delivery_id,
        episodes.line,
        {{ origin('episodes', 'episodes') }} as origin,
        case when leads.record_key is not null then {{ origin('lead_practitioners', 'leads') }} end as contact_origin
    from {{ ref('stg_early_help__episodes') }} as episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join leads using (record_key, teh_episode_id)
    where episodes.start_date <= {{ as_at() }}
)

select * from spells
