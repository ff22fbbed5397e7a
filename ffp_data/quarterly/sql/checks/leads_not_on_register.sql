-- Who holds cases of Family Help stands on the register as a lead practitioner.
SELECT min(child_id) AS child_id, counted, min(on_date) AS on_date, 'holds cases and is no lead practitioner on the register' AS said
FROM lines WHERE item = 'FH-2.1' AND basis = 'holds cases' AND part = 'not on the register' GROUP BY counted
