-- How many records of children carry an NHS number, and one that is verified: by feed, and in each feed by age, sex
-- and ethnicity; `all_feeds` counts children instead of records. A record is reached where its child has a verified
-- number from anybody. For the council's own eyes: counts are not rounded.
with people as (
    select * from {{ ref('int_persons__children') }}
),

ethnicity as (
    select * from {{ ref('int_persons__ethnicity') }}
),

children as (
    select
        people.child_id,
        case
            when people.is_unborn then 'unborn'
            when people.age_years is null then 'not known'
            when people.age_years < 1 then '00'
            when people.age_years < 5 then '01 to 04'
            when people.age_years < 11 then '05 to 10'
            when people.age_years < 16 then '11 to 15'
            else '16 and over'
        end as age_band,
        coalesce(people.sex, 'not known') as sex,
        coalesce(ethnicity.ethnicity_code, 'not known') as ethnicity
    from people
    left join ethnicity using (child_id)
),

statements as (
    select
        record_key,
        child_id,
        bool_or(is_verified) as is_verified
    from {{ ref('int_matching__nhs_numbers') }}
    group by record_key, child_id
),

verified_children as (
    select distinct child_id from statements
    where is_verified
),

records as (
    select
        records.feed,
        records.record_key as counted,
        children.age_band,
        children.sex,
        children.ethnicity,
        statements.record_key is not null as has_number,
        coalesce(statements.is_verified, false) as has_verified,
        verified_children.child_id is not null as is_reached
    from {{ ref('int_persons__records') }} as records
    inner join children using (child_id)
    left join statements on records.record_key = statements.record_key
    left join verified_children on records.child_id = verified_children.child_id
    union all
    select
        'all_feeds' as feed,
        children.child_id as counted,
        children.age_band,
        children.sex,
        children.ethnicity,
        count(statements.record_key) > 0 as has_number,
        coalesce(bool_or(statements.is_verified), false) as has_verified,
        has_verified as is_reached
    from children
    left join statements on children.child_id = statements.child_id
    group by all
),

counted as (
    select
        feed,
        case
            when grouping(age_band) = 0 then 'age_band'
            when grouping(sex) = 0 then 'sex'
            when grouping(ethnicity) = 0 then 'ethnicity'
            else 'everyone'
        end as group_by,
        coalesce(age_band, sex, ethnicity, 'everyone') as group_name,
        count(*) as records,
        count(*) filter (where has_number) as with_number,
        count(*) filter (where has_verified) as verified,
        count(*) filter (where is_reached) as reached,
        round(avg(has_verified::integer), 4) as share_verified,
        round(avg(is_reached::integer), 4) as share_reached
    from records
    group by grouping sets ((feed), (feed, age_band), (feed, sex), (feed, ethnicity))
)

select * from counted
