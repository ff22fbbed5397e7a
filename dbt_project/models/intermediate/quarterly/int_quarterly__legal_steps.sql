-- Steps before care proceedings, one row per run of steps and record of a child.
-- What is only arranged for a day to come has not happened.
with facts as (
    select * from {{ ref('stg_case_system__legal_steps') }}
),

of_children as (
    select
        records.child_id,
        facts.tracker_id,
        facts.legal_planning_date,
        {{ known_by('facts.letter_date', as_at()) }} as letter_date,
        {{ known_by('facts.first_meeting_date', as_at()) }} as first_meeting_date,
        {{ known_by('facts.application_date', as_at()) }} as application_date,
        facts.end_date,
        facts.end_reason_code,
        records.is_confident,
        facts.record_key,
        facts.delivery_id,
        facts.line
    from facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
)

select * from of_children
