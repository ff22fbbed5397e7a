-- The stage that was recorded is the one that the child's records show.
SELECT child_id, concat(kind, ' ', event_id) AS counted, on_date, said FROM staged
WHERE on_date BETWEEN $first AND $last AND recorded IS NOT NULL AND recorded <> evidence
