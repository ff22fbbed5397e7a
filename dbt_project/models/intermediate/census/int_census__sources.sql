-- Which records a row of a return rests on, so that a finding leads to the record to mend. Stays in the council.
with of_children as (
    select * from {{ ref('int_census__sources_of_children') }}
),

told as (
    select
        'cin_' || module as return_table,
        child_id as row_key,
        *
    from of_children
    union all by name
    select
        'tehadc_' || module as return_table,
        child_id as row_key,
        *
    from of_children
    union all by name
    select * from {{ ref('int_census__sources_of_need') }}
    union all by name
    select * from {{ ref('int_census__sources_of_early_help') }}
),

sources as (
    select
        return_table,
        child_id,
        cin_key,
        row_key,
        column_name,
        row_value,
        record_key,
        source_table,
        delivery_id,
        line
    from told
)

select * from sources
