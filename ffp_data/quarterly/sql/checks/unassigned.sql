-- An event at no stage is counted under "unassigned" and named here.
SELECT child_id, concat(kind, ' ', event_id) AS counted, on_date, 'no record shows a stage on that day' AS said FROM staged
WHERE on_date BETWEEN $first AND $last AND stage = 'unassigned'
