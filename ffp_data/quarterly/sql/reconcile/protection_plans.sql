-- Interventions with a plan on the last day, against plans open then.
WITH here AS (
    SELECT DISTINCT child_id FROM quarterly.interventions
    WHERE plan_start_date <= $last AND (plan_end_date IS NULL OR plan_end_date > $last)
),
there AS (
    SELECT DISTINCT child_id FROM quarterly.spells
    WHERE kind = 'cp_plan' AND start_date <= $last AND (end_date IS NULL OR end_date > $last)
)
SELECT coalesce(h.child_id, t.child_id) AS child_id,
    CASE WHEN t.child_id IS NULL THEN 'here' WHEN h.child_id IS NULL THEN 'there' ELSE 'both' END AS side,
    'a second plan of the child runs on' AS why
FROM here AS h FULL JOIN there AS t USING (child_id)
