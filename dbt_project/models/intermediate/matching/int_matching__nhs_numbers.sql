-- Who says that a person has an NHS number, and how surely: one row per record and statement. A number counts as
-- verified where its sender traced it (status 01, "present and verified", NHS Data Dictionary) or where the national
-- demographics service answered with it surely; everything else is stated.
with records as (
    select * from {{ ref('int_persons__records') }}
),

sent as (
    select distinct
        records.child_id,
        records.record_key,
        records.feed as source,
        identifiers.value as nhs_number,
        if(records.nhs_number_status = '01', 'traced by the sender', 'stated by the sender') as method,
        records.nhs_number_status = '01' as is_verified,
        null::double as score,
        records.valid_from as stated_on
    from records
    inner join {{ ref('stg_identity__identifiers') }} as identifiers using (record_key)
    where
        identifiers.identifier_type = 'nhs_number'
        and identifiers.is_valid
        and identifiers.source not like 'sui_matcher.%'
),

answered as (
    select
        records.child_id,
        assertions.record_key,
        'sui_matcher' as source,
        assertions.nhs_number,
        assertions.method,
        true as is_verified,
        assertions.score,
        assertions.asserted_on as stated_on
    from {{ ref('stg_identity__nhs_number_assertions') }} as assertions
    inner join records using (record_key)
    where assertions.tier = 'high' and assertions.effect in ('fills', 'confirms', 'supersedes')
),

statements as (
    select * from sent
    union all
    select * from answered
),

resolved as (
    select
        statements.child_id,
        statements.record_key,
        statements.nhs_number,
        superseded.nhs_number as superseded_by,
        statements.source,
        statements.method,
        coalesce(statements.is_verified, false) as is_verified,
        statements.score,
        statements.stated_on
    from statements
    left join {{ ref('stg_identity__superseded_nhs_numbers') }} as superseded
        on statements.nhs_number = superseded.former_number
)

select * from resolved
