-- Steps before care proceedings, one row per run of steps and record of a child.
with facts as (
    select * from {{ ref('stg_case_system__legal_steps') }}
),

of_children as (
    select
        records.child_id,
        facts.tracker_id,
        facts.legal_planning_date,
        facts.letter_date,
        facts.first_meeting_date,
        facts.application_date,
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
