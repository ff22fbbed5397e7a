-- FH-1.3: each child once, at the most intensive status; plans and care are told apart. FH-K1: who has a lead practitioner.
WITH bases AS (
    SELECT * FROM (VALUES ('snapshot'), ('any_time')) AS b(basis)
),
open AS (
    SELECT DISTINCT b.basis, s.child_id, s.kind
    FROM quarterly.spells AS s, bases AS b
    WHERE s.kind IN ('teh', 'cin', 'cp_plan', 'looked_after') AND s.start_date <= $last
      AND (s.end_date IS NULL OR CASE b.basis WHEN 'snapshot' THEN s.end_date > $last ELSE s.end_date >= $first END)
),
first_days AS (
    SELECT child_id, kind, min(start_date) AS on_date, min(record_key) AS record_key
    FROM quarterly.spells
    WHERE start_date <= $last AND (end_date IS NULL OR end_date >= $first)
    GROUP BY ALL
),
children AS (
    SELECT
        basis, child_id,
        CASE
            WHEN bool_or(kind = 'looked_after') THEN 'looked_after'
            WHEN bool_or(kind = 'cp_plan') THEN 'cp_plan'
            WHEN bool_or(kind = 'cin') THEN 'cin'
            ELSE 'teh'
        END AS kind,
        bool_or(kind = 'cin') AND bool_or(kind = 'teh') AS is_both
    FROM open GROUP BY ALL
),
led AS (
    SELECT DISTINCT b.basis, w.child_id
    FROM quarterly.lead_workers AS w, bases AS b
    WHERE w.start_date <= $last
      AND (w.end_date IS NULL OR CASE b.basis WHEN 'snapshot' THEN w.end_date > $last ELSE w.end_date >= $first END)
)
SELECT
    'FH-1.3' AS item, c.basis,
    CASE c.kind WHEN 'teh' THEN 'TEH' WHEN 'cin' THEN 'CIN' WHEN 'cp_plan' THEN 'protection plan' ELSE 'looked after' END AS part,
    c.child_id AS counted, c.child_id, f.on_date,
    CASE WHEN c.is_both THEN 'early help and need are both open' END AS detail,
    NULL::DOUBLE AS value,
    CASE c.kind
        WHEN 'cp_plan' THEN 'has a child protection plan: told apart'
        WHEN 'looked_after' THEN 'is looked after: told apart'
    END AS why_not,
    f.record_key
FROM children AS c LEFT JOIN first_days AS f ON f.child_id = c.child_id AND f.kind = c.kind
UNION ALL
SELECT 'FH-K1', c.basis, if(l.child_id IS NULL, 'no lead practitioner', 'with a lead practitioner'), c.child_id, c.child_id, NULL,
    NULL, NULL, NULL, NULL
FROM children AS c LEFT JOIN led AS l ON l.child_id = c.child_id AND l.basis = c.basis
WHERE c.kind IN ('teh', 'cin')
