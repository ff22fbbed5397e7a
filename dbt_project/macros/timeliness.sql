{#- The measures as they are counted here: of the two readings of "3 and 6 months" the one that is in force. -#}
{% macro timeliness_measures_in_force() -%}
    select * from {{ ref('timeliness_measures') }}
    where measure_id != 'TM-09' or limit_unit = '{{ "day" if var("reviews_are_due_in_days") else "calendar_month" }}'
{%- endmacro %}

{#- The last day that is in time. `working_due` is the day that the calendar gives for a limit in working days; a month is
    clamped to its end. -#}
{% macro due_on(clock, working_due) -%}
    case {{ clock }}.limit_unit
        when 'working_day' then {{ working_due }}
        when 'calendar_month' then ({{ clock }}.start_date + to_months({{ clock }}.time_limit))::date
        when 'day' then {{ clock }}.start_date + {{ clock }}.time_limit
    end
{%- endmacro %}
