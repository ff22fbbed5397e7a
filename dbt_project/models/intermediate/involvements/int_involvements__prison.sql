-- Through the adults of the family, and of a child of 15 to 17 who is held. Of an adult whose probation record is of
-- limited access only "not shared" goes further.
with stays as (
    select
        records.child_id as adult_id,
        records.record_key,
        stays.admitted_date as since,
        case when not stays.is_held then coalesce(stays.release_date, stays.admitted_date) end as until,
        stays.safeguarding_phone as contact_phone,
        stays.prison_name as team,
        stays.delivery_id,
        stays.line,
        stays.since_origin,
        case when not stays.is_held then stays.until_origin end as until_origin
    from {{ ref('int_custody__stays') }} as stays
    inner join {{ ref('int_persons__records') }} as records using (record_key)
),

adults as (
    select
        child_id,
        adult_id
    from {{ ref('int_families__adults') }}
    union all
    select
        child_id,
        child_id as adult_id
    from {{ ref('int_persons__children') }}
),

spells as (
    select
        adults.child_id,
        stays.since,
        stays.until,
        null as contact_name,
        stays.contact_phone,
        stays.team,
        stays.record_key,
        withheld.adult_id is not null as is_withheld,
        stays.delivery_id,
        stays.line,
        {{ origin('prisoners', 'stays') }} as origin,
        stays.since_origin,
        stays.until_origin
    from stays
    inner join adults using (adult_id)
    left join {{ ref('int_custody__withheld') }} as withheld using (adult_id)
)

select * from spells
