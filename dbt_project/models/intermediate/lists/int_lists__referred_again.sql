-- Each referral of the last 12 months with the one before it, on another day, within 12 calendar months: the reading of
-- the re-referral measure, over a year that ends on the day.
with referrals as (
    select
        referrals.child_id,
        referrals.referral_date,
        records.feed,
        records.is_confident
    from {{ ref('int_census__referrals') }} as referrals
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where referrals.referral_id = referrals.canonical_referral_id and referrals.referral_date <= {{ as_at() }}
),

again as (
    select
        later.child_id,
        later.referral_date,
        later.feed,
        earlier.referral_date as previous_date,
        later.is_confident and earlier.is_confident as is_confident
    from referrals as later
    inner join referrals as earlier
        on
            later.child_id = earlier.child_id
            and later.referral_date > earlier.referral_date
            and later.referral_date <= (earlier.referral_date + to_months(12))::date
    where later.referral_date > ({{ as_at() }} - to_months(12))::date
    qualify row_number() over (
        partition by later.child_id, later.referral_date
        order by later.is_confident and earlier.is_confident desc, earlier.referral_date desc
    ) = 1
),

entries as (
    select
        'referred_again' as list_id,
        child_id,
        referral_date as since,
        'referred on ' || referral_date || ', before that on ' || previous_date as facts,
        [feed] as feeds,
        is_confident
    from again
)

select * from entries
