-- RC1: adopted (DfE, CIN census, reason for closure).
with referrals as (
    select * from {{ ref('stg_case_system__referrals') }}
    where closure_reason_code = 'RC1'
),

records as (
    select * from {{ ref('int_persons__records') }}
),

adopted as (
    select distinct records.child_id
    from referrals
    inner join records using (record_key)
)

select * from adopted
