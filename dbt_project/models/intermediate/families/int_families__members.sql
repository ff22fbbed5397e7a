-- Who belongs to a child's family, and who says so. Nothing is inferred beyond what a source states; a name without a
-- key (a parent's name in a hospital record) stays a name.
with records as (
    select
        child_id,
        record_key,
        source_person_id,
        feed,
        service
    from {{ ref('int_persons__records') }}
),

case_system_families as (
    select
        records.child_id,
        records.feed,
        members.*,
        {{ origin('xt_family_members', 'members') }} as origin
    from {{ ref('stg_case_system__family_members') }} as members
    inner join records using (record_key)
),

from_case_system as (
    select
        children.child_id,
        others.child_id as related_child_id,
        null as related_name,
        others.relationship,
        others.feed as source,
        others.from_date,
        others.to_date,
        others.is_in_home as lives_with,
        children.fam_id as family_key,
        [children.origin, others.origin] as origins
    from case_system_families as children
    inner join case_system_families as others
        on children.fam_id = others.fam_id and children.child_id != others.child_id
),

residence_families as (
    select
        records.child_id,
        records.feed,
        families.residence_family_id,
        {{ origin('ssd_family', 'families') }} as origin
    from {{ ref('stg_case_system__families') }} as families
    inner join records using (record_key)
    where families.residence_family_id is not null
),

from_residence as (
    select
        children.child_id,
        others.child_id as related_child_id,
        null as related_name,
        'family of residence' as relationship,
        others.feed as source,
        null::date as from_date,
        null::date as to_date,
        true as lives_with,
        children.residence_family_id as family_key,
        [children.origin, others.origin] as origins
    from residence_families as children
    inner join residence_families as others
        on children.residence_family_id = others.residence_family_id and children.child_id != others.child_id
),

from_residence_alone as (
    -- Sharing a household says less than any stated relationship: it stands only where nothing else does.
    select from_residence.* from from_residence
    anti join from_case_system using (child_id, related_child_id)
),

early_help_families as (
    select
        records.child_id,
        records.feed,
        persons.eh_family_id,
        persons.relationship_in_family,
        {{ origin('persons', 'persons') }} as origin
    from {{ ref('stg_early_help__persons') }} as persons
    inner join records using (record_key)
),

from_early_help as (
    select
        children.child_id,
        others.child_id as related_child_id,
        null as related_name,
        others.relationship_in_family as relationship,
        others.feed as source,
        null::date as from_date,
        null::date as to_date,
        null::boolean as lives_with,
        children.eh_family_id as family_key,
        [children.origin, others.origin] as origins
    from early_help_families as children
    inner join early_help_families as others
        on children.eh_family_id = others.eh_family_id and children.child_id != others.child_id
),

stated as (
    select
        people.child_id,
        related.child_id as related_child_id,
        case when related.child_id is null then relationships.related_name end as related_name,
        relationships.relationship,
        people.feed as source,
        relationships.from_date,
        relationships.to_date,
        null::boolean as lives_with,
        null as family_key,
        [{{ origin('relationships.source_table', 'relationships') }}] as origins
    from {{ ref('stg_identity__relationships') }} as relationships
    inner join records as people using (record_key)
    left join records as related on relationships.related_record_key = related.record_key
    -- That a prison names somebody as a parent tells that the parent is in prison.
    left join {{ ref('int_custody__withheld') }} as withheld
        on related.child_id = withheld.adult_id and people.service = 'prison'
    where
        withheld.adult_id is null
        and (related.child_id is not null or relationships.related_name is not null)
),

members as (
    select * from from_case_system
    union all by name
    select * from from_residence_alone
    union all by name
    select * from from_early_help
    union all by name
    select * from stated
    where related_child_id is null or related_child_id != child_id
),

stated_once as (
    select
        child_id,
        related_child_id,
        related_name,
        case lower(relationship)
            when 'child' then 'child of the family'
            when 'mum' then 'mother'
            when 'dad' then 'father'
            else lower(relationship)
        end as relationship,
        source,
        min(from_date) as from_date,
        -- One open statement keeps the relationship open.
        case when bool_and(to_date is not null) then max(to_date) end as to_date,
        bool_or(lives_with) as lives_with,
        min(family_key) as family_key,
        {{ origins_in('origins') }} as origins
    from members
    where coalesce(from_date <= {{ as_at() }}, true)
    group by all
)

select * from stated_once
