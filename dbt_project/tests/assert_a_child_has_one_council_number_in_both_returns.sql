-- Detects: a child whose number differs between the CIN census and the early help collection.
-- A failure means: DfE cannot match the two returns, which is what the second one is for.
-- Returns: the child and both numbers.
select
    cin.child_key,
    cin.la_child_id as cin_number,
    teh.la_child_id as tehadc_number
from {{ ref('cin_children') }} as cin
inner join {{ ref('tehadc_children') }} as teh using (child_key)
where cin.la_child_id != teh.la_child_id
