-- The records that each row of the CIN census rests on. A referral entered twice rests on both entries.
with episodes as (
    select
        'cin_details' as return_table,
        episodes.child_id,
        episodes.cin_key,
        episodes.cin_key as row_key,
        null as column_name,
        null as row_value,
        referrals.record_key,
        'ssd_cin_episodes' as source_table,
        referrals.delivery_id,
        referrals.line
    from {{ ref('int_census__episodes') }} as episodes
    inner join {{ ref('int_census__referrals') }} as referrals
        on
            episodes.child_id = referrals.child_id
            and episodes.referral_id = referrals.canonical_referral_id
),

assessments as (
    select * from {{ ref('int_census__assessments') }}
),

enquiries as (
    select * from {{ ref('int_census__enquiries') }}
),

plans as (
    select * from {{ ref('int_census__protection_plans') }}
),

conferences as (
    select * from {{ ref('stg_case_system__conferences') }}
),

modules as (
    select
        'cin_assessments' as return_table,
        child_id,
        cin_key,
        assessment_key as row_key,
        record_key,
        'ssd_cin_assessments' as source_table,
        delivery_id,
        line
    from assessments
    union all
    select
        'cin_plan_dates',
        child_id,
        cin_key,
        plan_key,
        record_key,
        'ssd_cin_plans',
        delivery_id,
        line
    from {{ ref('int_census__need_plans') }}
    union all
    select
        'cin_section47',
        child_id,
        cin_key,
        s47_key,
        record_key,
        'ssd_s47_enquiry',
        delivery_id,
        line
    from enquiries
    union all
    select
        'cin_protection_plans',
        child_id,
        cin_key,
        cpp_key,
        record_key,
        'ssd_cp_plans',
        delivery_id,
        line
    from plans
),

factors as (
    select
        'cin_assessment_factors' as return_table,
        assessments.child_id,
        assessments.cin_key,
        assessments.assessment_key as row_key,
        assessments.record_key,
        'ssd_assessment_factors' as source_table,
        stated.delivery_id,
        stated.line
    from assessments
    inner join {{ ref('stg_case_system__assessment_factors') }} as stated using (assessment_id)
),

-- The day of a conference is mended in the conference, not in the enquiry that led to it.
held as (
    select
        'cin_section47' as return_table,
        enquiries.child_id,
        enquiries.cin_key,
        enquiries.s47_key as row_key,
        'date_of_initial_cpc' as column_name,
        conferences.record_key,
        'ssd_initial_cp_conference' as source_table,
        conferences.delivery_id,
        conferences.line
    from enquiries
    inner join conferences using (enquiry_id, conference_date)
),

held_alone as (
    select
        'cin_details' as return_table,
        alone.child_id,
        alone.cin_key,
        alone.cin_key as row_key,
        'date_of_initial_cpc' as column_name,
        conferences.record_key,
        'ssd_initial_cp_conference' as source_table,
        conferences.delivery_id,
        conferences.line
    from {{ ref('int_census__conferences_alone') }} as alone
    inner join {{ ref('int_persons__records') }} as records using (child_id)
    inner join conferences
        on
            records.record_key = conferences.record_key
            and alone.conference_date = conferences.conference_date
),

reviews as (
    select
        'cin_reviews' as return_table,
        reviews.child_id,
        reviews.cin_key,
        reviews.cpp_key as row_key,
        reviews.review_date::varchar as row_value,
        stated.record_key,
        'ssd_cp_reviews' as source_table,
        stated.delivery_id,
        stated.line
    from {{ ref('int_census__reviews') }} as reviews
    inner join {{ ref('int_persons__records') }} as records using (child_id)
    inner join {{ ref('stg_case_system__protection_reviews') }} as stated
        on
            records.record_key = stated.record_key
            and reviews.review_date = stated.review_date
),

sources as (
    select * from episodes
    union all by name
    select * from modules
    union all by name
    select * from factors
    union all by name
    select * from held
    union all by name
    select * from held_alone
    union all by name
    select * from reviews
)

select * from sources
