-- Detects: an address, school, team or telephone of a restricted child in the single view or among the clocks.
-- A failure means: someone could find a family that is in hiding.
-- Returns: the child and the column that tells.
select
    child_id,
    'children' as table_name
from {{ ref('children') }}
where is_restricted and (postcode is not null or address_line is not null or school_urn is not null)
union all
select
    involvements.child_id,
    'involvements'
from {{ ref('involvements') }} as involvements
inner join {{ ref('children') }} as children using (child_id)
where
    children.is_restricted
    and (
        involvements.team is not null or involvements.contact_phone is not null or involvements.contact_name is not null
    )
union all
select
    family_members.child_id,
    'family_members'
from {{ ref('family_members') }} as family_members
inner join {{ ref('children') }} as children using (child_id)
where children.is_restricted and family_members.lives_with is not null
union all
select
    chronology.child_id,
    'chronology'
from {{ ref('chronology') }} as chronology
inner join {{ ref('children') }} as children using (child_id)
where children.is_restricted and contains(chronology.summary, 'URN')
union all
select
    child_id,
    'clocks'
from {{ ref('clocks') }}
where is_restricted and (team is not null or worker is not null)
