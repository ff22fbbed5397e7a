-- Adults whose records may bear on a child: members of the family by a stated relationship, not yet ended.
with adults as (
    select distinct
        members.child_id,
        members.related_child_id as adult_id
    from {{ ref('int_families__members') }} as members
    inner join {{ ref('int_persons__children') }} as children using (child_id)
    left join {{ ref('int_persons__children') }} as siblings
        on members.related_child_id = siblings.child_id
    where
        members.related_child_id is not null
        and siblings.child_id is null
        and coalesce(members.to_date > {{ as_at() }}, true)
)

select * from adults
