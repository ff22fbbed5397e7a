-- The census cohort: cases open on any day of the year, and referrals of the year that went no further.
with referrals as (
    select * from {{ ref('int_census__referrals') }}
    where referral_id = canonical_referral_id
),

in_year as (
    select * from referrals
    where
        case
            when is_no_further_action then coalesce(closure_date, referral_date) >= {{ period_start() }}
            else coalesce(closure_date >= {{ period_start() }}, true)
        end
),

episodes as (
    select
        child_id,
        child_id || '-' || row_number() over (
            partition by child_id
            order by
                referral_date, closure_date nulls last, referral_source_code, primary_need_code, closure_reason_code,
                is_no_further_action, referral_id
        ) as cin_key,
        referral_id,
        referral_date,
        referral_source_code,
        primary_need_code,
        is_no_further_action,
        closure_date,
        closure_reason_code,
        record_key,
        delivery_id,
        line
    from in_year
)

select * from episodes
