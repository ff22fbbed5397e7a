{#- The last Monday of May of the year of `day`: the first day of the sixth half term. -#}
{% macro spring_bank_holiday(day) -%}
    make_date(year({{ day }}), 5, 31) - (isodow(make_date(year({{ day }}), 5, 31)) - 1)::integer
{%- endmacro %}

{#- Whole years of age on the 31 August before the school year that begins in `year`. -#}
{% macro age_at_school_year(birth, year) -%}
    date_sub('year', {{ birth }}, make_date({{ year }}, 8, 31))
{%- endmacro %}

{#- The ages of the published absence measure. An age that nobody knows hides no absence. -#}
{% macro is_of_measured_age(age) -%}
    coalesce({{ age }} between 5 and 15, true)
{%- endmacro %}
