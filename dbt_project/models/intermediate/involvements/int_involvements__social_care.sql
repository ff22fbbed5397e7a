with workers as (
    select
        involvements.record_key,
        involvements.team,
        professionals.professional_name,
        {{ origin('ssd_involvements', 'involvements') }} as team_origin,
        {{ origin('ssd_professionals', 'professionals', 'null::varchar') }} as name_origin
    from {{ ref('stg_case_system__worker_involvements') }} as involvements
    left join {{ ref('stg_case_system__professionals') }} as professionals using (professional_id)
    where
        involvements.start_date <= {{ as_at() }}
        and coalesce(involvements.end_date > {{ as_at() }}, true)
    qualify row_number() over (
        partition by involvements.record_key
        order by
            involvements.start_date desc, professionals.professional_name asc nulls last,
            involvements.team asc nulls last, involvements.involvement_id asc
    ) = 1
),

episodes as (
    select
        record_key,
        referral_date as start_date,
        closure_date as end_date,
        team,
        worker_id,
        'ssd_cin_episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_case_system__referrals') }}
    where not is_no_further_action
    union all
    select
        record_key,
        start_date,
        end_date,
        null as team,
        null as worker_id,
        'ssd_cla_episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_case_system__care_episodes') }}
),

spells as (
    select
        records.child_id,
        episodes.start_date as since,
        case when episodes.end_date <= {{ as_at() }} then episodes.end_date end as until,
        coalesce(workers.professional_name, professionals.professional_name) as contact_name,
        null as contact_phone,
        coalesce(workers.team, episodes.team) as team,
        records.record_key,
        false as is_withheld,
        episodes.delivery_id,
        episodes.line,
        {{ origin('episodes.source_table', 'episodes') }} as origin,
        case
            when workers.professional_name is not null then workers.name_origin
            when professionals.professional_name is not null
                then {{ origin('ssd_professionals', 'professionals', 'null::varchar') }}
        end as contact_origin,
        case when workers.team is not null then workers.team_origin end as team_origin
    from episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join workers using (record_key)
    left join {{ ref('stg_case_system__professionals') }} as professionals
        on episodes.worker_id = professionals.professional_id
    where episodes.start_date <= {{ as_at() }}
)

select * from spells
