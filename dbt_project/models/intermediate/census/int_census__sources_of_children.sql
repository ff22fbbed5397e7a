-- The record that each particular of a child was taken from, and, where nothing was, the one it belongs in: the record
-- under the council's own number. Same order as int_census__particulars.
with children as (
    select * from {{ ref('int_census__children') }}
),

records as (
    select * from {{ ref('int_persons__records') }}
    where is_for_returns
),

statements as (
    {{ stated_for_returns() }}
),

said as (
    select
        records.* replace (coalesce(records.upn, refused.upn) as upn),
        statements.ethnicity_code,
        statements.upn_unknown_code,
        statements.death_date
    from records
    left join statements using (record_key)
    left join {{ ref('stg_identity__refused_upns') }} as refused using (record_key)
),

compared as (
    select
        children.child_id,
        said.record_key,
        said.feed,
        said.delivery_id,
        said.line,
        said.survivorship_order,
        list_filter([
            case when said.upn = children.upn then 'upn' end,
            case when said.former_upn = children.former_upn then 'former_upn' end,
            case when said.date_of_birth = children.birth_date then 'person_birth_date' end,
            case
                when children.expected_birth_date in (said.expected_birth_date, said.date_of_birth)
                    then 'expected_person_birth_date'
            end,
            case when said.sex = children.sex then 'sex' end,
            case when said.death_date = children.death_date then 'person_death_date' end,
            case when said.ethnicity_code = children.ethnicity_code then 'ethnicity' end,
            case when said.upn_unknown_code = children.upn_unknown_code then 'upn_unknown' end
        ], name -> name is not null) as column_names
    from said
    inner join children using (child_id)
),

agreeing as (
    select
        * exclude (column_names),
        unnest(column_names) as column_name
    from compared
),

first_to_say as (
    select * exclude (survivorship_order) from agreeing
    qualify row_number() over (partition by child_id, column_name order by survivorship_order, line) = 1
),

own as (
    select
        case_numbers.child_id,
        records.record_key,
        records.feed,
        records.delivery_id,
        records.line,
        null as column_name
    from {{ ref('int_persons__case_numbers') }} as case_numbers
    inner join records on case_numbers.la_child_record_key = records.record_key
),

told as (
    select * from first_to_say
    union all by name
    select * from own
),

disabilities as (
    select
        record_key,
        upper(disability_code) as disability_code,
        'ssd_disability' as source_table,
        delivery_id,
        line
    from {{ ref('stg_case_system__disabilities') }}
    union all
    select
        record_key,
        upper(trim(unnest(regexp_split_to_array(disabilities, '[|;,]')))),
        'persons',
        delivery_id,
        line
    from {{ ref('stg_early_help__persons') }}
    where disabilities is not null
),

sources as (
    select
        'children' as module,
        child_id,
        column_name,
        null as row_value,
        record_key,
        case feed
            when 'case_system' then 'ssd_person'
            when 'early_help' then 'persons'
            when 'education_attendance' then 'pupils'
            else 'person record'
        end as source_table,
        delivery_id,
        line
    from told
    union all by name
    select
        'disabilities' as module,
        records.child_id,
        disabilities.disability_code as row_value,
        disabilities.record_key,
        disabilities.source_table,
        disabilities.delivery_id,
        disabilities.line
    from disabilities
    inner join records using (record_key)
)

select * from sources
