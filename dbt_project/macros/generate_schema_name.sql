{#- Schemas are plain names (staging, single_view, ...), the same in every home: only the folder of the file varies. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
