-- Each referral of the period with the child's referral before it, on an earlier day.
with referrals as (
    select
        records.is_confident,
        referrals.*,
        max(referrals.referral_date) over (
            partition by referrals.child_id
            order by referrals.referral_date
            range between unbounded preceding and interval 1 day preceding
        ) as previous_date
    from {{ ref('int_census__referrals') }} as referrals
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        referrals.referral_id = referrals.canonical_referral_id
        and referrals.referral_date <= {{ as_at() }}
),

clocks as (
    select
        child_id,
        'TM-20' as measure_id,
        previous_date::date as start_date,
        referral_date as stop_date,
        {{ known_by('closure_date', as_at()) }} as case_closed_on,
        worker_id,
        team,
        is_confident,
        record_key,
        delivery_id,
        line
    from referrals
    where referral_date >= {{ period_start() }}
)

select * from clocks
