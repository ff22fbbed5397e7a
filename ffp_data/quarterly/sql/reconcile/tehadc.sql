-- Children in targeted early help on the last day, against the episodes of the early help collection.
WITH here AS (
    SELECT child_id, bool_or(source_table = 'episodes') AS is_in_module
    FROM quarterly.spells
    WHERE kind = 'teh' AND start_date <= $last AND (end_date IS NULL OR end_date > $last)
    GROUP BY child_id
),
there AS (
    SELECT DISTINCT child_id FROM intermediate.int_census__early_help
    WHERE start_date <= $last AND (end_date IS NULL OR end_date > $last)
)
SELECT coalesce(h.child_id, t.child_id) AS child_id,
    CASE WHEN t.child_id IS NULL THEN 'here' WHEN h.child_id IS NULL THEN 'there' ELSE 'both' END AS side,
    CASE
        WHEN t.child_id IS NULL AND NOT h.is_in_module THEN 'early help stands in the case system alone'
        WHEN t.child_id IS NULL THEN 'was 18 when early help began'
        ELSE 'the collection has an episode open, and no record here is open on the day'
    END AS why
FROM here AS h FULL JOIN there AS t USING (child_id)
