-- What contracts declare. Adults' records tell for the children of the family; of a limited-access record only its
-- existence as "not shared" goes further.
with spells as (
    select
        records.child_id,
        records.record_key,
        coalesce(records.is_restricted, false) as is_restricted,
        facts.* exclude (record_key)
    from {{ ref('stg_declared__involvements') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where coalesce(facts.since <= {{ as_at() }}, true)
),

of_person as (
    select
        child_id,
        since,
        until,
        contact_name,
        contact_phone,
        team,
        record_key,
        is_withheld,
        delivery_id,
        line
    from spells
    where not is_through_family
),

of_family as (
    select
        adults.child_id,
        spells.since,
        spells.until,
        spells.contact_name,
        spells.contact_phone,
        spells.team,
        spells.record_key,
        spells.is_withheld or spells.is_restricted as is_withheld,
        spells.delivery_id,
        spells.line
    from spells
    inner join {{ ref('int_families__adults') }} as adults on spells.child_id = adults.adult_id
    where spells.is_through_family
),

declared as (
    select * from of_person
    union all by name
    select * from of_family
)

select * replace (case when until <= {{ as_at() }} then until end as until) from declared
