-- Referrals of a child over all its records in the case system. A referral entered on two records of one child is one
-- referral: the copy with the smaller number stands for both, and `canonical_referral_id` leads there.
with referrals as (
    select
        records.child_id,
        referrals.*
    from {{ ref('stg_case_system__referrals') }} as referrals
    inner join {{ ref('int_persons__records') }} as records using (record_key)
),

canonical as (
    select
        *,
        min(referral_id) over (
            partition by
                child_id, referral_date, referral_source_code, primary_need_code, is_no_further_action,
                closure_date, closure_reason_code
        ) as canonical_referral_id
    from referrals
),

-- Known by the reference date: a case closed after it was open on it. A reason without a date stays for the validator.
dated as (
    select
        * exclude (closure_date, closure_reason_code),
        {{ known_by('closure_date', period_end()) }} as closure_date,
        case when coalesce(closure_date <= {{ period_end() }}, true) then closure_reason_code end as closure_reason_code
    from canonical
    where referral_date <= {{ period_end() }}
)

select * from dated
