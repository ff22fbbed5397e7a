with codes as (
    select * from {{ ref('codes') }}
),

referrals as (
    select
        facts.record_key,
        facts.referral_date as event_date,
        'referral' as event_type,
        concat(
            'Referral to children''s social care',
            case when sources.meaning is not null then ' (source: ' || sources.meaning || ')' end,
            case when facts.is_no_further_action then ', no further action' end
        ) as summary,
        'ssd_cin_episodes' as source_table,
        facts.delivery_id,
        facts.line
    from {{ ref('stg_case_system__referrals') }} as facts
    left join codes as sources
        on sources.code_list = 'referral_source' and facts.referral_source_code = sources.code
),

closures as (
    select
        facts.record_key,
        facts.closure_date as event_date,
        'case_closed' as event_type,
        concat('Children''s social care closed the case', ': ' || reasons.meaning) as summary,
        'ssd_cin_episodes' as source_table,
        facts.delivery_id,
        facts.line
    from {{ ref('stg_case_system__referrals') }} as facts
    left join codes as reasons
        on reasons.code_list = 'reason_for_closure' and facts.closure_reason_code = reasons.code
    where facts.closure_date is not null and not facts.is_no_further_action
),

protection_plans as (
    select
        facts.record_key,
        facts.start_date as event_date,
        'protection_plan_started' as event_type,
        concat('Child protection plan began', ' (' || categories.meaning || ')') as summary,
        'ssd_cp_plans' as source_table,
        facts.delivery_id,
        facts.line
    from {{ ref('stg_case_system__protection_plans') }} as facts
    left join codes as categories
        on categories.code_list = 'category_of_abuse' and facts.initial_category_code = categories.code
),

plain as (
    {% for relation, table, column, type, words in [
        ('contacts', 'ssd_contacts', 'contact_date', 'contact', 'Contact at the front door of children\'s social care'),
        ('assessments', 'ssd_cin_assessments', 'start_date', 'assessment_started', 'Child and family assessment began'),
        ('assessments', 'ssd_cin_assessments', 'authorisation_date', 'assessment_finished', 'Child and family assessment finished'),
        ('enquiries', 'ssd_s47_enquiry', 'start_date', 'enquiry_started', 'Section 47 enquiry began'),
        ('conferences', 'ssd_initial_cp_conference', 'conference_date', 'conference_held', 'Initial child protection conference held'),
        ('protection_plans', 'ssd_cp_plans', 'end_date', 'protection_plan_ended', 'Child protection plan ended'),
        ('protection_reviews', 'ssd_cp_reviews', 'review_date', 'protection_review', 'Child protection review held'),
        ('need_plans', 'ssd_cin_plans', 'start_date', 'need_plan_started', 'Child in need plan began'),
        ('need_plans', 'ssd_cin_plans', 'end_date', 'need_plan_ended', 'Child in need plan ended'),
        ('missing_episodes', 'ssd_missing', 'start_date', 'missing', 'Missing episode recorded by children\'s social care'),
        ('family_help_episodes', 'xt_family_help_episodes', 'start_date', 'family_help_started', 'Family Help began'),
        ('family_help_episodes', 'xt_family_help_episodes', 'end_date', 'family_help_ended', 'Family Help ended'),
        ('family_group_meetings', 'xt_fgdm', 'offered_date', 'family_meeting_offered', 'Family group decision making offered'),
        ('family_group_meetings', 'xt_fgdm', 'meeting_date', 'family_meeting_held', 'Family group decision making meeting held'),
        ('support_packages', 'xt_fnsp', 'start_date', 'support_package_started', 'Family network support package began'),
    ] %}
        select
            record_key,
            {{ column }} as event_date,
            '{{ type }}' as event_type,
            '{{ words | replace("'", "''") }}' as summary,
            '{{ table }}' as source_table,
            delivery_id,
            line
        from {{ ref('stg_case_system__' ~ relation) }}
        where {{ column }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- A plan is the family's: it stands with every child of that period of Family Help.
family_help_plans as (
    select
        episodes.record_key,
        plans.start_date,
        plans.end_date,
        case plans.plan_type_code
            when 'TEH' then ' (targeted early help)' when 'CIN' then ' (child in need)' else ''
        end as kind,
        plans.delivery_id,
        plans.line
    from {{ ref('stg_case_system__family_help_plans') }} as plans
    inner join {{ ref('stg_case_system__family_help_episodes') }} as episodes using (family_help_id)
),

family_help_plan_dates as (
    select
        record_key,
        start_date as event_date,
        'family_help_plan_started' as event_type,
        'Family Help plan began' || kind as summary,
        'xt_family_help_plans' as source_table,
        delivery_id,
        line
    from family_help_plans
    union all
    select
        record_key,
        end_date,
        'family_help_plan_ended',
        'Family Help plan ended' || kind,
        'xt_family_help_plans',
        delivery_id,
        line
    from family_help_plans
    where end_date is not null
),

care_starts as (
    -- A change of placement opens a new episode in the same period of care: only the first is news here.
    select
        record_key,
        start_date as event_date,
        'care_started' as event_type,
        'Became looked after' as summary,
        'ssd_cla_episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_case_system__care_episodes') }}
    qualify row_number() over (
        partition by record_key, coalesce(care_period_id, episode_id) order by start_date, episode_id
    ) = 1
),

care_ends as (
    select
        record_key,
        end_date as event_date,
        'care_ended' as event_type,
        'Ceased to be looked after' as summary,
        'ssd_cla_episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_case_system__care_episodes') }}
    qualify
        row_number() over (
            partition by record_key, coalesce(care_period_id, episode_id) order by start_date desc, episode_id desc
        ) = 1
        and end_date is not null
),

events as (
    select * from referrals
    union all
    select * from closures
    union all
    select * from protection_plans
    union all
    select * from plain
    union all
    select * from family_help_plan_dates
    union all
    select * from care_starts
    union all
    select * from care_ends
)

select * from events
