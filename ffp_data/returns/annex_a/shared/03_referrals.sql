-- Referrals known on the date. Entered on two records of one child, a referral is one: the smaller number stands.
with referrals as (
    select
        records.child_id,
        referrals.referral_id,
        referrals.referral_date,
        referrals.referral_source_code,
        referrals.primary_need_code,
        referrals.is_no_further_action,
        case when referrals.closure_date <= $on then referrals.closure_date end as closure_date,
        case when referrals.closure_date <= $on then referrals.closure_reason_code end as closure_reason_code,
        referrals.team,
        professionals.professional_name as worker
    from staging.stg_case_system__referrals as referrals
    inner join inspected_records as records using (record_key)
    left join staging.stg_case_system__professionals as professionals
        on referrals.worker_id = professionals.professional_id
    where referrals.referral_date <= $on
)

select * from referrals
qualify row_number() over (
    partition by child_id, referral_date, referral_source_code, primary_need_code, is_no_further_action, closure_date
    order by referral_id
) = 1
