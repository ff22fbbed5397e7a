-- FN-K1: letters before proceedings of the quarter; FN-K2: the cohort that is ripe at the end of the quarter.
WITH letters AS (
    SELECT child_id, min(letter_date) AS letter_date, min(record_key) AS record_key
    FROM quarterly.legal_steps WHERE letter_date BETWEEN $first AND $last GROUP BY child_id
),
offers AS (
    SELECT child_id, min(on_date) AS first_offer FROM staged WHERE kind = 'offer' GROUP BY child_id
),
cohort AS (
    SELECT child_id, min(on_date) AS offered, min(record_key) AS record_key
    FROM staged
    WHERE kind = 'offer' AND stage = 'pre_proceedings' AND on_date BETWEEN $cohort_first AND $cohort_last
    GROUP BY child_id
),
met AS (
    SELECT c.child_id, min(s.on_date) AS met
    FROM cohort AS c INNER JOIN staged AS s ON s.child_id = c.child_id AND s.kind = 'meeting'
    WHERE s.on_date BETWEEN c.offered AND $last
    GROUP BY c.child_id
)
SELECT 'FN-K1' AS item, 'in_quarter' AS basis,
    if(o.first_offer <= l.letter_date + $offer_within_days::INTEGER, 'offered', 'not offered') AS part,
    l.child_id AS counted, l.child_id, l.letter_date AS on_date, concat('first offer on ', o.first_offer) AS detail,
    NULL::DOUBLE AS value, NULL::VARCHAR AS why_not, l.record_key
FROM letters AS l LEFT JOIN offers AS o USING (child_id)
UNION ALL
SELECT 'FN-K2', 'cohort', if(m.met IS NULL, 'not met', 'met'), c.child_id, c.child_id, c.offered, concat('met on ', m.met), NULL, NULL,
    c.record_key
FROM cohort AS c LEFT JOIN met AS m USING (child_id)
