{#
  A table or a view takes the place of the former one within one transaction. dbt's own way builds it beside, renames
  both and drops the former, each step with a context of its own into which 540 macros go: a fifth of the processor
  time of a build on few children. What that way does besides (hooks, grants, indexes, comments in the database), no
  model of this project asks for; hooks are refused before the build.
#}
{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {% do drop_of_another_kind(target) %}
    {% call statement('main') %}
        drop table if exists {{ target }};
        {{ get_create_table_as_sql(False, target, compiled_code) }}
    {% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {% do drop_of_another_kind(target) %}
    {% call statement('main') %}
        drop view if exists {{ target }};
        {{ get_create_view_as_sql(target, compiled_code) }}
    {% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# What was a view and is a table now, or the other way round. #}
{% macro drop_of_another_kind(target) %}
    {%- set former = load_cached_relation(target) -%}
    {% if former is not none and former.type != target.type %}
        {% do drop_relation_if_exists(former) %}
    {% endif %}
{% endmacro %}
