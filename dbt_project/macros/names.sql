{#- A name by its letters alone: what differs only in capitals, accents, spaces or hyphens is one name. -#}
{% macro plain_name(column) -%}
    regexp_replace(lower(strip_accents({{ column }})), '[^\p{L}]', '', 'g')
{%- endmacro %}

{#- Whether a given name only says that there was none yet: "Baby", "Unborn", "Twin 2". -#}
{%- macro is_placeholder_name(name) -%}
    regexp_matches(lower({{ name }}), '{{ var("placeholder_given_names") }}')
{%- endmacro %}
