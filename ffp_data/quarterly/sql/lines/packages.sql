-- FN-2.1, FN-2.2 and FN-2.4: a package once, however many children it is for. Those still waiting stand beside.
WITH rows AS (
    SELECT p.*, s.stage, s.said, list_position($precedence::VARCHAR[], s.stage) AS place
    FROM quarterly.packages AS p
    INNER JOIN staged AS s
        ON s.kind = 'package' AND s.event_id = p.fnsp_id AND s.record_key = p.record_key AND s.child_id = p.child_id
),
whole AS (
    SELECT fnsp_id, min(distributed_date) AS distributed, min(agreed_date) AS agreed, max(amount_pounds) AS pounds,
        arg_min(stage, place) AS stage
    FROM rows GROUP BY fnsp_id
),
in_quarter AS (
    SELECT r.fnsp_id, r.child_id, min(r.record_key) AS record_key, min(r.said) AS said, w.stage, w.distributed, w.agreed, w.pounds
    FROM whole AS w INNER JOIN rows AS r USING (fnsp_id)
    WHERE w.distributed BETWEEN $first AND $last
    GROUP BY ALL
)
SELECT 'FN-2.2' AS item, 'in_quarter' AS basis, stage AS part, fnsp_id AS counted, child_id, distributed AS on_date, said AS detail,
    NULL::DOUBLE AS value, NULL AS why_not, record_key
FROM in_quarter
UNION ALL
SELECT 'FN-2.1', 'in_quarter', stage, fnsp_id, child_id, distributed, said, pounds::DOUBLE,
    CASE WHEN pounds IS NULL THEN 'no amount is recorded' END, record_key
FROM in_quarter
UNION ALL
SELECT 'FN-2.4', 'in_quarter', stage, fnsp_id, child_id, distributed, concat('agreed on ', agreed),
    date_diff('day', agreed, distributed)::DOUBLE,
    CASE
        WHEN agreed IS NULL THEN 'no day of agreement is recorded'
        WHEN distributed < agreed THEN 'distributed before it was agreed'
    END,
    record_key
FROM in_quarter
UNION ALL
SELECT 'FN-2.4', 'waiting', 'all', fnsp_id, child_id, min(agreed_date), NULL, date_diff('day', min(agreed_date), $last)::DOUBLE, NULL,
    min(record_key)
FROM quarterly.packages
WHERE agreed_date <= $last AND (distributed_date IS NULL OR distributed_date > $last)
GROUP BY fnsp_id, child_id
