{#- What a record states of a person beside its identity, from the feeds that returns may be made of. -#}
{% macro stated_for_returns() -%}
    select
        record_key,
        ethnicity_code,
        upn_unknown_code,
        death_date
    from {{ ref('stg_case_system__persons') }}
    union all
    select
        record_key,
        ethnicity_code,
        upn_unknown_code,
        null
    from {{ ref('stg_early_help__persons') }}
    union all
    select
        record_key,
        ethnicity_code,
        null,
        null
    from {{ ref('stg_education__enrolments') }}
{%- endmacro %}

{#- Rows of the case system that hang on a referral, brought to the episode of the census: by the number of the referral
    where it is given and known, else by the child and the date (numbers may change overnight). Adds child_id and
    cin_key; rows outside the cohort fall away. The relation needs record_key, referral_id and the date column. -#}
{% macro with_episode(relation, date_column) -%}
    select
        episodes.cin_key,
        records.child_id,
        facts.*
    from {{ relation }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join {{ ref('int_census__referrals') }} as referrals
        on records.child_id = referrals.child_id and facts.referral_id = referrals.referral_id
    inner join {{ ref('int_census__episodes') }} as episodes
        on
            records.child_id = episodes.child_id
            and case
                when referrals.referral_id is not null then episodes.referral_id = referrals.canonical_referral_id
                else
                    facts.{{ date_column }} >= episodes.referral_date
                    and coalesce(facts.{{ date_column }} <= episodes.closure_date, true)
            end
    qualify row_number() over (
        partition by facts.record_key, facts.delivery_id, facts.line order by episodes.referral_date desc, episodes.cin_key
    ) = 1
{%- endmacro %}

{#- Whether the outcome of a section 47 enquiry calls for an initial conference. -#}
{% macro is_conference_called(column) -%}
    coalesce(json_extract_string({{ column }}, '$.CP_CONFERENCE_FLAG') in ('Y', 'y', '1', 'true'), false)
{%- endmacro %}
