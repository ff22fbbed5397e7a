-- CP-1.3 and CP-1.4: each child once, in the furthest step; CP-K1: those of whom the team has no part, too.
WITH bases AS (
    SELECT * FROM (VALUES ('snapshot'), ('any_time')) AS b(basis)
),
running AS (
    SELECT b.basis, i.*, least($last, coalesce(i.end_date, $last)) AS day
    FROM quarterly.interventions AS i, bases AS b
    WHERE i.start_date <= $last
      AND (i.end_date IS NULL OR CASE b.basis WHEN 'snapshot' THEN i.end_date > $last ELSE i.end_date >= $first END)
),
told AS (
    SELECT
        *,
        is_with_team AND coalesce(team_start_date <= $last, true)
        AND (
            team_end_date IS NULL
            OR CASE basis WHEN 'snapshot' THEN team_end_date > $last ELSE team_end_date >= $first END
        ) AS has_team,
        CASE
            WHEN plan_start_date <= day THEN 3
            WHEN enquiry_end_date <= day AND end_basis <> 'enquiry ended without a conference'
                AND end_basis <> 'discussion without an enquiry' THEN 2
            ELSE 1
        END AS step
    FROM running
),
once AS (
    SELECT *, bool_or(has_team AND is_harm_outside_home) OVER (PARTITION BY basis, child_id) AS has_harm
    FROM told
    QUALIFY row_number() OVER (
        PARTITION BY basis, child_id ORDER BY has_team DESC, step DESC, start_date, intervention_id
    ) = 1
),
lines AS (
    SELECT
        basis, child_id, start_date AS on_date, has_team, has_harm, record_key,
        CASE step WHEN 3 THEN 'protection plan' WHEN 2 THEN 'awaiting conference' ELSE 'strategy or enquiry' END AS part,
        concat('began with: ', start_basis) AS detail
    FROM once
)
SELECT 'CP-1.3' AS item, basis, part, child_id AS counted, child_id, on_date, detail, NULL::DOUBLE AS value,
    if(has_team, NULL, 'the multi-agency team has no part in it') AS why_not, record_key
FROM lines
UNION ALL
SELECT 'CP-1.4', basis, 'all', child_id, child_id, on_date, detail, NULL, NULL, record_key
FROM lines WHERE has_harm AND has_team
UNION ALL
SELECT 'CP-K1', basis, if(has_team, 'with the team', 'without the team'), child_id, child_id, on_date, NULL, NULL, NULL, record_key
FROM lines
