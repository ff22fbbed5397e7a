-- Episodes of the window. The number is the case system's own: staging ties it to its drop, which is taken off again.
select
    referrals.child_id as child_key,
    referrals.referral_id as episode_key,
    split_part(referrals.referral_id, '@' || referrals.delivery_id, 1) as social_care_episode_id,
    referrals.referral_date,
    referrals.referral_source_code as referral_source,
    referrals.is_no_further_action as referral_no_further_action_flag,
    case when referrals.closure_date <= $as_at then referrals.closure_date end as closure_date,
    case when coalesce(referrals.closure_date <= $as_at, true) then referrals.closure_reason_code end as closure_reason
from intermediate.int_census__referrals as referrals
semi join memory.dataflow.cohort using (child_id)
where
    referrals.referral_id = referrals.canonical_referral_id
    and referrals.referral_date <= $as_at
    and coalesce(referrals.closure_date >= $window_start, true)
