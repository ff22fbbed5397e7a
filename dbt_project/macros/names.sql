{#- A name by its letters alone: what differs only in capitals, accents, spaces or hyphens is one name. -#}
{% macro plain_name(column) -%}
    regexp_replace(lower(strip_accents({{ column }})), '[^\p{L}]', '', 'g')
{%- endmacro %}
