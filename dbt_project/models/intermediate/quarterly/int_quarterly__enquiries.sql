-- Section 47 enquiries, one row per enquiry and record of a child.
with facts as (
    select * from {{ ref('stg_case_system__enquiries') }}
),

of_children as (
    select
        records.child_id,
        facts.enquiry_id,
        facts.start_date,
        facts.end_date,
        records.is_confident,
        facts.record_key,
        facts.delivery_id,
        facts.line
    from facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where facts.start_date <= {{ as_at() }}
)

select * from of_children
