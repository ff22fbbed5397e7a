-- Family group decision making, one row per process and record of a child.
-- What is only arranged for a day to come has not happened.
with facts as (
    select * from {{ ref('stg_case_system__family_group_meetings') }}
),

of_children as (
    select
        records.child_id,
        facts.fgdm_id,
        facts.trigger_code,
        facts.stage_code,
        {{ known_by('facts.offered_date', as_at()) }} as offered_date,
        facts.is_accepted,
        facts.withdrawn_date,
        facts.withdrawn_reason,
        facts.not_offered_date,
        facts.not_offered_reason,
        facts.is_signed_off,
        {{ known_by('facts.meeting_date', as_at()) }} as meeting_date,
        facts.is_plan_agreed,
        {{ known_by('facts.plan_agreed_date', as_at()) }} as plan_agreed_date,
        facts.recorded_date,
        records.is_confident,
        facts.record_key,
        facts.delivery_id,
        facts.line
    from facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
)

select * from of_children
