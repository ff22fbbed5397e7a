-- What contracts declare. Adults' records tell for the children of the family. A row that its contract withholds goes
-- further as "not shared"; a restricted adult must not be found, so that the spell is told without whom to call: those
-- who fled are those whose marker must be seen.
with spells as (
    select
        records.child_id,
        records.record_key,
        {{ origin('facts.source_table', 'facts') }} as origin,
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
        line,
        origin
    from spells
    where not is_through_family
),

of_family as (
    select
        adults.child_id,
        spells.since,
        spells.until,
        case when not spells.is_restricted then spells.contact_name end as contact_name,
        case when not spells.is_restricted then spells.contact_phone end as contact_phone,
        case when not spells.is_restricted then spells.team end as team,
        spells.record_key,
        spells.is_withheld,
        spells.delivery_id,
        spells.line,
        spells.origin
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
