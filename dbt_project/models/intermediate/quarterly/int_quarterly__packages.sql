-- Family network support packages, one row per package and record of a child.
-- What is only arranged for a day to come has not happened.
-- The amount is the whole package's in each.
with facts as (
    select * from {{ ref('stg_case_system__support_packages') }}
),

of_children as (
    select
        records.child_id,
        facts.fnsp_id,
        facts.fgdm_id,
        facts.stage_code,
        facts.route_code,
        facts.purpose,
        facts.agreed_date,
        facts.approved_date,
        {{ known_by('facts.distributed_date', as_at()) }} as distributed_date,
        facts.amount_pounds,
        facts.recorded_date,
        records.is_confident,
        facts.record_key,
        facts.delivery_id,
        facts.line
    from facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
)

select * from of_children
