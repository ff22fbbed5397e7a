{#- Work of children's services with a person, from when to when, by the row that says so; the levels overlap on purpose.
    Early help as the case system knows it counts for children whom no early help service told us of. -#}
{% macro spells_of_services() -%}
    select
        record_key,
        'child_in_need' as level,
        referral_date as start_date,
        closure_date as end_date,
        'ssd_cin_episodes' as source_table,
        delivery_id,
        line
    from {{ ref('stg_case_system__referrals') }}
    where not is_no_further_action
    union all
    select
        record_key,
        'child_protection',
        start_date,
        end_date,
        'ssd_cp_plans',
        delivery_id,
        line
    from {{ ref('stg_case_system__protection_plans') }}
    union all
    select
        record_key,
        'looked_after',
        start_date,
        end_date,
        'ssd_cla_episodes',
        delivery_id,
        line
    from {{ ref('stg_case_system__care_episodes') }}
    union all
    select
        record_key,
        'early_help',
        start_date,
        end_date,
        'episodes',
        delivery_id,
        line
    from {{ ref('stg_early_help__episodes') }}
    union all
    select
        record_key,
        'early_help',
        start_date,
        end_date,
        'ssd_early_help_episodes',
        delivery_id,
        line
    from (
        select episodes.*
        from {{ ref('stg_case_system__early_help_episodes') }} as episodes
        inner join {{ ref('int_persons__records') }} as records using (record_key)
        anti join (
            select distinct child_id from {{ ref('int_persons__records') }}
            where service = 'early_help'
        ) as told_by_early_help on records.child_id = told_by_early_help.child_id
    ) as early_help_in_case_system
{%- endmacro %}
