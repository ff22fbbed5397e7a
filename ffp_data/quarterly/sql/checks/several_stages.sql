-- A child at two stages in a quarter counts at each: the stages come to more than the children.
SELECT child_id, item AS counted, min(on_date) AS on_date, string_agg(replace(part, '_', ' '), ', ' ORDER BY part) AS said
FROM lines WHERE item IN ('FN-1.2', 'FN-1.3', 'FN-1.4') AND why_not IS NULL
GROUP BY child_id, item HAVING count(DISTINCT part) > 1
