{#- The row that a value was taken from: whose record, which table of its feed, and where in which delivery. -#}
{% macro origin(table, of, record_key=none) -%}
    struct_pack(
        record_key := {{ record_key or of ~ '.record_key' }},
        source_table := {{ table if table.endswith('source_table') else "'" ~ table ~ "'" }},
        delivery_id := {{ of }}.delivery_id,
        line := {{ of }}.line
    )
{%- endmacro %}

{#- The origins of grouped rows, each once and in one order. -#}
{% macro origins_of(origin) -%}
    list_sort(array_agg(distinct {{ origin }}))
{%- endmacro %}

{#- The same where each row has a list of them. -#}
{% macro origins_in(origins) -%}
    list_sort(list_distinct(flatten(array_agg({{ origins }}))))
{%- endmacro %}
