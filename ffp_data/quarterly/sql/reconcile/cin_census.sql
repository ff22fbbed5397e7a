-- Children in need on the last day: a case, a plan or care here, against an episode of need of the census.
WITH here AS (
    SELECT child_id, bool_or(kind = 'cin') AS has_case
    FROM quarterly.spells
    WHERE kind IN ('cin', 'cp_plan', 'looked_after') AND start_date <= $last AND (end_date IS NULL OR end_date > $last)
    GROUP BY child_id
),
there AS (
    SELECT DISTINCT child_id FROM intermediate.int_census__episodes
    WHERE NOT coalesce(is_no_further_action, false) AND referral_date <= $last AND (closure_date IS NULL OR closure_date > $last)
)
SELECT coalesce(h.child_id, t.child_id) AS child_id,
    CASE WHEN t.child_id IS NULL THEN 'here' WHEN h.child_id IS NULL THEN 'there' ELSE 'both' END AS side,
    CASE
        WHEN t.child_id IS NULL AND NOT h.has_case THEN 'a plan or care is open, and no episode of need'
        WHEN t.child_id IS NULL THEN 'the census leaves the child out of its year'
        ELSE 'the census has an episode open, and no record here is open on the day'
    END AS why
FROM here AS h FULL JOIN there AS t USING (child_id)
