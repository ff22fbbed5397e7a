with members as (
    select * from {{ ref('int_families__members') }}
),

children as (
    select
        child_id,
        is_restricted
    from {{ ref('int_persons__children') }}
),

people as (
    select
        child_id as related_child_id,
        given_name,
        surname,
        date_of_birth,
        is_restricted
    from {{ ref('int_persons__survivors') }}
),

family_members as (
    select
        members.child_id,
        members.related_child_id,
        coalesce(trim(concat_ws(' ', people.given_name, people.surname)), members.related_name) as related_name,
        people.date_of_birth as related_date_of_birth,
        members.relationship,
        members.from_date,
        members.to_date,
        -- Saying with whom a restricted child lives would locate the child.
        case
            when not children.is_restricted and not coalesce(people.is_restricted, false) then members.lives_with
        end as lives_with,
        members.family_key,
        members.source
    from members
    inner join children using (child_id)
    left join people using (related_child_id)
)

select * from family_members
