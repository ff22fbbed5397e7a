{#- The number that a case system gives to an event or a worker means something inside one drop only: some forms get a
    new number each night, and two systems use the same numbers for different things. Rows of one drop still find each
    other by it; what an event is, is said by person, day and kind. -#}
{% macro in_drop(column) -%}
    {{ column }} || '@' || _delivery_id
{%- endmacro %}

{#- The number of a person's family, which stays from drop to drop but is its system's own. -#}
{% macro in_system(column) -%}
    split_part(record_key, '|', 2) || ':' || {{ column }}
{%- endmacro %}
