-- CP-5.1: adults; CP-K2: enquiries. An enquiry entered on two records of a child is one.
WITH started AS (
    SELECT * FROM quarterly.enquiries WHERE start_date BETWEEN $first AND $last
)
SELECT 'CP-5.1' AS item, 'in_quarter' AS basis, 'all' AS part, o.adult_id AS counted, min(s.child_id) AS child_id,
    min(o.offered_date) AS on_date, NULL AS detail, NULL::DOUBLE AS value, NULL AS why_not, min(o.record_key) AS record_key
FROM quarterly.parent_offers AS o INNER JOIN started AS s USING (enquiry_id)
GROUP BY o.adult_id, s.child_id
UNION ALL
SELECT 'CP-5.1', 'in_quarter', 'all', o.adult_id, NULL, o.offered_date, NULL, NULL, 'the enquiry of the offer is not known', o.record_key
FROM quarterly.parent_offers AS o ANTI JOIN quarterly.enquiries AS e USING (enquiry_id)
WHERE o.offered_date BETWEEN $first AND $last
UNION ALL
SELECT 'CP-K2', 'in_quarter', if(bool_or(o.offer_id IS NOT NULL), 'offered', 'not offered'), concat(s.child_id, ' ', s.start_date),
    s.child_id, s.start_date, NULL, NULL, NULL, min(s.record_key)
FROM started AS s LEFT JOIN quarterly.parent_offers AS o USING (enquiry_id)
GROUP BY s.child_id, s.start_date
