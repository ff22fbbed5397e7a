-- Children whom social care or early help works with on the last day, against the single view of that day.
WITH here AS (
    SELECT DISTINCT child_id FROM quarterly.spells
    WHERE kind IN ('teh', 'cin', 'cp_plan', 'looked_after') AND start_date <= $last
        AND (end_date IS NULL OR end_date > $last)
),
there AS (
    SELECT DISTINCT child_id FROM single_view.involvements
    WHERE service IN ('social_care', 'early_help') AND state = 'current'
)
SELECT coalesce(h.child_id, t.child_id) AS child_id,
    CASE WHEN t.child_id IS NULL THEN 'here' WHEN h.child_id IS NULL THEN 'there' ELSE 'both' END AS side,
    CASE
        WHEN t.child_id IS NULL AND v.child_id IS NULL THEN 'is in no view: 18 or over, or known as an adult'
        WHEN t.child_id IS NULL THEN 'a case is open, and no worker is'
        ELSE 'a worker is, and no case, plan or care is open'
    END AS why
FROM here AS h FULL JOIN there AS t USING (child_id)
LEFT JOIN single_view.children AS v ON v.child_id = h.child_id
