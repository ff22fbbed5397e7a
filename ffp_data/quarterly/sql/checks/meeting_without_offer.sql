-- Each meeting has an offer to the child on the same day or earlier.
SELECT m.child_id, m.event_id AS counted, m.on_date, 'met with no offer on that day or before' AS said
FROM staged AS m
ANTI JOIN (SELECT child_id, event_id, on_date FROM staged WHERE kind = 'offer') AS o
    ON o.child_id = m.child_id AND o.event_id = m.event_id AND o.on_date <= m.on_date
WHERE m.kind = 'meeting' AND m.on_date BETWEEN $first AND $last
