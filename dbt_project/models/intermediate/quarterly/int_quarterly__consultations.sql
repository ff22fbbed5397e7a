-- Advice that the multi-agency child protection team gave about a child.
with facts as (
    select * from {{ ref('stg_case_system__team_consultations') }}
),

of_children as (
    select
        records.child_id,
        facts.consultation_id,
        facts.consulted_date,
        facts.asked_by_team,
        records.is_confident,
        facts.record_key,
        facts.delivery_id,
        facts.line
    from facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
)

select * from of_children
