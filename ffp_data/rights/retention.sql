-- What retention must know of each person: the classes that ever applied and the days that rules count from. One row
-- per person; built tables of the last run, read as at $as_at.
WITH people AS (
    SELECT child_id, kind FROM identity.children
),
records AS (
    SELECT record_key, child_id FROM identity.child_membership
),
of_class AS (
    SELECT r.child_id, 'looked_after' AS class FROM staging.stg_case_system__care_episodes JOIN records AS r USING (record_key)
    UNION SELECT r.child_id, 'child_protection' FROM staging.stg_case_system__protection_plans JOIN records AS r USING (record_key)
    UNION SELECT r.child_id, 'child_in_need' FROM staging.stg_case_system__referrals JOIN records AS r USING (record_key)
        WHERE NOT is_no_further_action
    UNION SELECT r.child_id, 'early_help' FROM staging.stg_early_help__episodes JOIN records AS r USING (record_key)
    UNION SELECT r.child_id, 'early_help' FROM staging.stg_case_system__early_help_episodes JOIN records AS r USING (record_key)
    UNION SELECT child_id, 'adoption' FROM intermediate.int_matching__adopted
),
classes AS (
    SELECT child_id, list_sort(array_agg(class)) AS classes FROM of_class GROUP BY child_id
),
adoptions AS (
    SELECT r.child_id, max(closure_date) AS adoption
    FROM staging.stg_case_system__referrals JOIN records AS r USING (record_key)
    WHERE closure_reason_code = 'RC1' GROUP BY r.child_id
),
deaths AS (
    SELECT r.child_id, min(death_date) AS death
    FROM staging.stg_case_system__persons JOIN records AS r USING (record_key) WHERE death_date IS NOT NULL
    GROUP BY r.child_id
),
contacts AS (
    SELECT child_id, max(event_date) AS last_contact FROM single_view.chronology
    WHERE event_date <= $as_at::DATE GROUP BY child_id
),
open_work AS (
    SELECT DISTINCT child_id FROM intermediate.int_persons__open_work
),
ties AS (
    SELECT related_child_id AS adult, list_sort(array_agg(DISTINCT child_id)) AS children
    FROM intermediate.int_families__members SEMI JOIN people USING (child_id)
    WHERE related_child_id IS NOT NULL GROUP BY related_child_id
)
SELECT
    p.child_id,
    p.kind,
    coalesce(c.classes, CASE WHEN p.kind = 'adult' THEN ['adult'] ELSE ['never_open'] END) AS classes,
    coalesce(s.date_of_birth, s.expected_birth_date) AS birth,
    d.death,
    a.adoption,
    contacts.last_contact,
    o.child_id IS NOT NULL AS is_open,
    coalesce(t.children, []) AS children
FROM people AS p
LEFT JOIN intermediate.int_persons__survivors AS s USING (child_id)
LEFT JOIN classes AS c USING (child_id)
LEFT JOIN adoptions AS a USING (child_id)
LEFT JOIN deaths AS d USING (child_id)
LEFT JOIN contacts USING (child_id)
LEFT JOIN open_work AS o USING (child_id)
LEFT JOIN ties AS t ON t.adult = p.child_id
ORDER BY p.child_id
