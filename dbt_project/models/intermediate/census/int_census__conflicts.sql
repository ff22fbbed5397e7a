-- What early help module and case system say differently of one child in early help. Both returns carry one of the two
-- values (int_census__particulars), so that the contradiction shows nowhere else.
with records as (
    select * from {{ ref('int_persons__records') }}
    where is_for_returns and feed in ('case_system', 'early_help')
),

ethnicities as (
    select
        record_key,
        ethnicity_code
    from {{ ref('stg_case_system__persons') }}
    union all
    select
        record_key,
        ethnicity_code
    from {{ ref('stg_early_help__persons') }}
),

said as (
    select
        records.child_id,
        records.feed,
        arg_min(records.record_key, records.survivorship_order) as record_key,
        arg_min(records.upn, records.survivorship_order) as upn,
        arg_min(records.date_of_birth, records.survivorship_order)::varchar as birth_date,
        -- "Unknown", "refused" and "not yet obtained" contradict nothing.
        arg_min(nullif(records.sex, 'U'), records.survivorship_order) as sex,
        arg_min(ethnicities.ethnicity_code, records.survivorship_order)
        filter (where ethnicities.ethnicity_code not in ('REFU', 'NOBT')) as ethnicity
    from records
    left join ethnicities using (record_key)
    group by records.child_id, records.feed
),

early_help as (
    select said.* from said
    semi join {{ ref('int_census__early_help') }} using (child_id)
    where said.feed = 'early_help'
),

case_system as (
    select * from said
    where feed = 'case_system'
),

compared as (
    select
        child_id,
        early_help.record_key as early_help_record_key,
        case_system.record_key as case_system_record_key,
        unnest([
            struct_pack(item := 'UPN', helped := early_help.upn, cased := case_system.upn),
            struct_pack(item := 'PersonBirthDate', helped := early_help.birth_date, cased := case_system.birth_date),
            struct_pack(item := 'Sex', helped := early_help.sex, cased := case_system.sex),
            struct_pack(item := 'Ethnicity', helped := early_help.ethnicity, cased := case_system.ethnicity)
        ]) as pair
    from early_help
    inner join case_system using (child_id)
),

conflicts as (
    select
        child_id,
        pair.item,
        pair.helped as early_help_value,
        pair.cased as case_system_value,
        early_help_record_key,
        case_system_record_key
    from compared
    where pair.helped != pair.cased
)

select * from conflicts
