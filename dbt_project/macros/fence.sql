{# Refuse to build for a run that was overtaken: see ffp_data/fence.py. Without a token there is nothing to ask. #}
{% macro pass_fence() %}
    {% if execute and var('fence', none) is not none %}
        select
            case when max(token) > {{ var('fence') }}
                then error('this run was overtaken: another holds the hub; nothing was built')
            end as fence
        from {{ target.database }}.meta.fence
    {% endif %}
{% endmacro %}
