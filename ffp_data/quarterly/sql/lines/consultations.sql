-- CP-1.5: a consultation about brothers and sisters is one.
SELECT DISTINCT 'CP-1.5' AS item, 'in_quarter' AS basis, coalesce(asked_by_team, 'not recorded') AS part, consultation_id AS counted,
    child_id, consulted_date AS on_date, NULL::VARCHAR AS detail, NULL::DOUBLE AS value, NULL::VARCHAR AS why_not, record_key
FROM quarterly.consultations WHERE consulted_date BETWEEN $first AND $last
