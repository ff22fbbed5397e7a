-- A package has one amount, whichever child's record tells it.
SELECT min(child_id) AS child_id, fnsp_id AS counted, min(distributed_date) AS on_date,
    'children of one package have other amounts; the highest counts' AS said
FROM quarterly.packages WHERE distributed_date BETWEEN $first AND $last
GROUP BY fnsp_id HAVING count(DISTINCT amount_pounds) > 1
