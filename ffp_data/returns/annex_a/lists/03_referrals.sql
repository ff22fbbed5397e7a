-- Referrals received in the window. The count is of the 12 months before this referral, itself left out.
with placed as (
    select
        *,
        row_number() over (partition by child_id order by referral_date, referral_id) as place
    from inspected_referrals
),

earlier as (
    select
        placed.child_id,
        placed.place,
        count(others.place) as earlier_count
    from placed
    left join placed as others
        on
            placed.child_id = others.child_id
            and placed.place > others.place
            and others.referral_date >= placed.referral_date - to_months($count_months)
    group by placed.child_id, placed.place
)

select
    people.*,
    placed.referral_date,
    placed.referral_source_code as referral_source,
    case when placed.is_no_further_action then 'Y' else 'N' end as referral_nfa,
    earlier.earlier_count as referral_count,
    placed.team as allocated_team,
    placed.worker as allocated_worker
from placed
inner join earlier using (child_id, place)
inner join inspected_people as people using (child_id)
where placed.referral_date between $since and $on
