{#- The day to which every figure is taken, and the edges of the collection year, as DATE literals. -#}
{% macro as_at() -%} date '{{ var("as_at") }}' {%- endmacro %}
{% macro period_start() -%} date '{{ var("period_start") }}' {%- endmacro %}
{% macro period_end() -%} date '{{ var("period_end") }}' {%- endmacro %}

{#- 1 September on or before the as-at date. -#}
{% macro academic_year_start() -%}
    make_date(
        year({{ as_at() }}) - case when month({{ as_at() }}) < 9 then 1 else 0 end, 9, 1
    )
{%- endmacro %}

{#- A date that is not known yet on `day` is NULL on that day: an extract made after the reference date must not leak
    later events into the return. -#}
{% macro known_by(column, day) -%}
    case when {{ column }} <= {{ day }} then {{ column }} end
{%- endmacro %}

{#- '1', '0' or NULL, as the returns carry booleans. -#}
{% macro flag_code(expression) -%}
    case when {{ expression }} then '1' else '0' end
{%- endmacro %}
