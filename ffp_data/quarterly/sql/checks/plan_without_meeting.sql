-- Each plan that was agreed has a meeting.
SELECT p.child_id, p.event_id AS counted, p.on_date, 'a plan was agreed without a meeting' AS said
FROM staged AS p
ANTI JOIN (SELECT child_id, event_id FROM staged WHERE kind = 'meeting') AS m USING (child_id, event_id)
WHERE p.kind = 'plan' AND p.on_date BETWEEN $first AND $last
