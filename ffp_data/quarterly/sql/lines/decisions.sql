-- FN-1.2 to FN-1.4: a child once for each stage in the quarter.
WITH named AS (
    SELECT
        *,
        CASE kind WHEN 'offer' THEN 'FN-1.2' WHEN 'meeting' THEN 'FN-1.3' ELSE 'FN-1.4' END AS item,
        row_number() OVER (PARTITION BY kind, child_id, stage ORDER BY on_date, event_id, record_key) AS place
    FROM staged WHERE kind IN ('offer', 'meeting', 'plan') AND on_date BETWEEN $first AND $last
)
SELECT item, 'in_quarter' AS basis, stage AS part, child_id AS counted, child_id, on_date, said AS detail, NULL::DOUBLE AS value,
    CASE WHEN place > 1 THEN 'counted once at this stage already' END AS why_not, record_key
FROM named
UNION ALL
SELECT 'FN-1.2', 'in_quarter', 'no offer', child_id, child_id, not_offered_date, if(is_signed_off, 'signed off', 'not signed off'), NULL,
    concat('no offer was made: ', not_offered_reason), record_key
FROM quarterly.group_decisions
WHERE offered_date IS NULL AND not_offered_reason IS NOT NULL AND not_offered_date BETWEEN $first AND $last
UNION ALL
SELECT 'FN-1.4', 'in_quarter', 'no date', child_id, child_id, NULL, NULL, NULL, 'a plan was agreed on no known day', record_key
FROM quarterly.group_decisions
WHERE is_plan_agreed AND coalesce(plan_agreed_date, meeting_date) IS NULL
