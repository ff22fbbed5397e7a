-- Particulars of a person from the feeds whose agreements name statutory returns as a purpose: what the NHS, police or
-- probation said never reaches a return, not even as a birth date. Same total order as the single view.
with records as (
    select * from {{ ref('int_persons__records') }}
    where is_for_returns
),

statements as (
    {{ stated_for_returns() }}
),

stated as (
    select
        records.child_id,
        -- "Refused" and "not yet obtained" yield to any stated ethnicity.
        coalesce(
            arg_min(statements.ethnicity_code, records.survivorship_order)
            filter (where statements.ethnicity_code not in ('REFU', 'NOBT')),
            arg_min(statements.ethnicity_code, records.survivorship_order)
        ) as ethnicity_code,
        arg_min(statements.upn_unknown_code, records.survivorship_order) as upn_unknown_code,
        arg_min(statements.death_date, records.survivorship_order) as death_date
    from statements
    inner join records using (record_key)
    group by records.child_id
),

identity as (
    select
        child_id,
        arg_min(date_of_birth, survivorship_order) as date_of_birth,
        arg_min(expected_birth_date, survivorship_order) as expected_birth_date,
        arg_min(sex, survivorship_order) as sex,
        arg_min(former_upn, survivorship_order) as former_upn
    from records
    group by child_id
),

-- The council's own number first. A school's is taken over where the council has none and where no other child carries
-- it: a number that two children share is for a reviewer, not for a return. What the council holds and is no number is
-- shown as it was sent, so that the validator says what is wrong with it.
upn_claims as (
    select upn from records
    where upn is not null
    group by upn
    having count(distinct child_id) = 1
),

refused as (
    select refused_upns.* from {{ ref('stg_identity__refused_upns') }} as refused_upns
    inner join records using (record_key)
    where records.service != 'education'
),

upns as (
    select
        records.child_id,
        arg_min(records.upn, records.survivorship_order) as upn,
        arg_min(coalesce(records.upn, refused.upn), records.survivorship_order) as stated_upn
    from records
    left join upn_claims on records.upn = upn_claims.upn
    left join refused on records.record_key = refused.record_key
    where records.service != 'education' or upn_claims.upn is not null
    group by records.child_id
),

particulars as (
    select
        identity.*,
        upns.upn,
        upns.stated_upn,
        stated.ethnicity_code,
        stated.upn_unknown_code,
        stated.death_date
    from identity
    left join stated using (child_id)
    left join upns using (child_id)
)

select * from particulars
