-- A letter before proceedings in the last 12 months, and no offer of family group decision making from the day the case
-- was opened: a later offer takes the child off the list. That nobody wrote down why not is a fact of its own.
with letters as (
    select
        records.child_id,
        records.feed,
        records.is_confident,
        max(steps.letter_date) as letter_date
    from {{ ref('stg_case_system__legal_steps') }} as steps
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        steps.letter_date <= {{ as_at() }}
        and steps.letter_date > ({{ as_at() }} - to_months(12))::date
    group by records.child_id, records.feed, records.is_confident
),

cases as (
    select
        letters.*,
        coalesce(
            max(referrals.referral_date), letters.letter_date - {{ var('group_decision_window_days') }}
        ) as opened_date
    from letters
    left join {{ ref('int_census__referrals') }} as referrals
        on
            letters.child_id = referrals.child_id
            and not referrals.is_no_further_action
            and letters.letter_date >= referrals.referral_date
    group by letters.child_id, letters.feed, letters.is_confident, letters.letter_date
),

decisions as (
    select
        records.child_id,
        meetings.offered_date,
        meetings.not_offered_date,
        meetings.not_offered_reason,
        meetings.is_signed_off
    from {{ ref('stg_case_system__family_group_meetings') }} as meetings
    inner join {{ ref('int_persons__records') }} as records using (record_key)
),

offered as (
    select distinct cases.child_id
    from cases
    inner join decisions
        on
            cases.child_id = decisions.child_id
            and decisions.offered_date between cases.opened_date and {{ as_at() }}
),

reasons as (
    select
        cases.child_id,
        max(decisions.not_offered_date) as reason_date,
        arg_max(decisions.not_offered_reason, decisions.not_offered_date) as reason,
        arg_max(coalesce(decisions.is_signed_off, false), decisions.not_offered_date) as is_signed_off
    from cases
    inner join decisions
        on
            cases.child_id = decisions.child_id
            and decisions.not_offered_date between cases.opened_date and {{ as_at() }}
    where decisions.not_offered_reason is not null
    group by cases.child_id
),

entries as (
    select
        'no_group_decision' as list_id,
        cases.child_id,
        cases.letter_date as since,
        'letter before proceedings on ' || cases.letter_date || ', no offer since the case was opened on '
        || cases.opened_date || '; ' || coalesce(
            'reason recorded on ' || reasons.reason_date || ': ' || reasons.reason
            || case when reasons.is_signed_off then ', signed off' else ', not signed off' end,
            'no reason recorded'
        ) as facts,
        [cases.feed] as feeds,
        cases.is_confident
    from cases
    anti join offered using (child_id)
    left join reasons using (child_id)
)

select * from entries
