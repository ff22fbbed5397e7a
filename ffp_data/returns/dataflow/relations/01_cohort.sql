-- Whom the flow is about: of age on any day of the window, or unborn and expected in it, and in work with social care
-- in the window: a referral open on some day of it, a plan, an open case that waits for its assessment, or looked
-- after.
with referrals as (
    select
        child_id,
        referral_date,
        closure_date
    from intermediate.int_census__referrals
    where referral_date <= $as_at and coalesce(closure_date >= $window_start, true)
),

need_plans as (
    select
        records.child_id,
        plans.start_date
    from staging.stg_case_system__need_plans as plans
    inner join intermediate.int_persons__records as records using (record_key)
    where plans.start_date <= $as_at and coalesce(plans.end_date >= $window_start, true)
),

care_episodes as (
    select
        records.child_id,
        episodes.start_date
    from staging.stg_case_system__care_episodes as episodes
    inner join intermediate.int_persons__records as records using (record_key)
    where episodes.start_date <= $as_at and coalesce(episodes.end_date >= $window_start, true)
),

in_work as (
    select child_id from referrals
    union
    select child_id from need_plans
    union
    select child_id from care_episodes
),

of_age as (
    select child_id from intermediate.int_census__particulars
    where
        case
            when date_of_birth <= $as_at then date_add(date_of_birth, to_years($until_age)) > $window_start
            else coalesce(expected_birth_date, date_of_birth) >= $window_start
        end
)

select
    numbers.child_id,
    numbers.la_child_id,
    numbers.la_child_record_key
from intermediate.int_persons__case_numbers as numbers
semi join in_work using (child_id)
semi join of_age using (child_id)
