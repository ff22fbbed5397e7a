-- Detects: a child for whom a service has no row, or more than one, in the involvements.
-- A failure means: a page would show an empty cell, which reads as "nobody works with this child".
-- Returns: children and the number of their rows.
select
    children.child_id,
    count(involvements.service) as service_count
from {{ ref('children') }} as children
left join {{ ref('involvements') }} as involvements using (child_id)
group by children.child_id
having
    count(involvements.service) != (select count(distinct states.service) from {{ ref('int_feeds__states') }} as states)
    or count(involvements.service) != count(distinct involvements.service)
