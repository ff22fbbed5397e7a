with episodes as (
    select * from {{ ref('int_census__episodes') }}
),

conferences as (
    select * from {{ ref('int_census__conferences_alone') }}
),

cin_details as (
    select
        episodes.child_id as child_key,
        episodes.cin_key,
        episodes.referral_date as cin_referral_date,
        episodes.referral_source_code as referral_source,
        episodes.primary_need_code,
        episodes.closure_date as cin_closure_date,
        episodes.closure_reason_code as reason_for_closure,
        conferences.conference_date as date_of_initial_cpc,
        {{ flag_code('episodes.is_no_further_action') }} as referral_nfa
    from episodes
    left join conferences using (cin_key)
)

select * from cin_details
