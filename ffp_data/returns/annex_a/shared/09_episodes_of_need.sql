-- The episode of need that stands for each child: the one open on the date, else the last one closed. A referral that
-- went no further opened none.
select * from inspected_referrals
where not is_no_further_action
qualify row_number() over (
    partition by child_id
    order by closure_date desc nulls first, referral_date desc, referral_id asc
) = 1
