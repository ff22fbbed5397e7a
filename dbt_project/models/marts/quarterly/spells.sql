-- Stretches of time by which a stage is told, each with the child's number at the council. No team: it would locate a
-- child whose place is protected.
with spells as (
    select * from {{ ref('int_quarterly__spells') }}
),

numbered as (
    select
        spells.child_id,
        case_numbers.la_child_id,
        spells.kind,
        spells.start_date,
        spells.end_date,
        spells.detail,
        spells.is_confident,
        spells.source_table,
        spells.record_key,
        spells.delivery_id,
        spells.line
    from spells
    left join {{ ref('int_persons__case_numbers') }} as case_numbers using (child_id)
)

select * from numbered
