-- Moves between targeted early help and child in need, from the dates of both systems; the same 30 days between them as
-- in the returns.
with need as (
    select
        records.child_id,
        records.is_confident,
        records.feed,
        referrals.referral_date,
        referrals.closure_date
    from {{ ref('stg_case_system__referrals') }} as referrals
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where not referrals.is_no_further_action and referrals.referral_date <= {{ as_at() }}
),

help as (
    select
        records.child_id,
        records.is_confident,
        records.feed,
        episodes.start_date,
        episodes.end_date
    from {{ ref('stg_early_help__episodes') }} as episodes
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where episodes.start_date <= {{ as_at() }}
),

up as (
    select
        need.child_id,
        need.referral_date as since,
        'stepped up on ' || need.referral_date || ': targeted early help since ' || help.start_date
        || coalesce(' to ' || {{ known_by('help.end_date', as_at()) }}, '') as facts,
        [need.feed, help.feed] as feeds,
        need.is_confident and help.is_confident as is_confident
    from need
    inner join help
        on
            need.child_id = help.child_id
            and need.referral_date >= help.start_date
            and coalesce(need.referral_date <= help.end_date + {{ var('step_window_days') }}, true)
    where need.referral_date > {{ as_at() }} - {{ var('step_list_days') }}
),

down as (
    select
        help.child_id,
        help.start_date as since,
        'stepped down on ' || help.start_date || ': child in need from ' || need.referral_date || ' to '
        || need.closure_date as facts,
        [need.feed, help.feed] as feeds,
        need.is_confident and help.is_confident as is_confident
    from help
    inner join need
        on
            help.child_id = need.child_id
            and help.start_date between need.closure_date and need.closure_date + {{ var('step_window_days') }}
    where help.start_date > {{ as_at() }} - {{ var('step_list_days') }}
),

steps as (
    select * from up
    union all
    select * from down
),

-- A move that two records of one system tell is one move: the one between the latest cases.
entries as (
    select
        'step_up_or_down' as list_id,
        steps.*
    from steps
    qualify row_number() over (
        partition by child_id, since, facts[:10]
        order by is_confident desc, facts desc
    ) = 1
)

select * from entries
