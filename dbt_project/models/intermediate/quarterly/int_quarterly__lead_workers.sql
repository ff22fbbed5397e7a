-- Who holds a case of Family Help, as the case system says, to hold beside the register of practitioners.
with help as (
    select * from {{ ref('stg_case_system__family_help_episodes') }}
),

leads as (
    select
        records.child_id,
        help.lead_practitioner_id as worker_id,
        help.start_date,
        help.end_date,
        records.is_confident,
        help.record_key,
        help.delivery_id,
        help.line
    from help
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where help.lead_practitioner_id is not null and help.start_date <= {{ as_at() }}
)

select * from leads
