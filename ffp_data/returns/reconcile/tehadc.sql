-- What the early help feed and the single view hold, and what became of it in the TEHADC; as in cin.sql.
-- Needs the macros period_start(), period_end(), requires_plan() and requires_lead_practitioner().

CREATE OR REPLACE TEMP TABLE loaded AS
SELECT
    'TEHEpisode' AS module, 'episodes' AS source_table, record_key, teh_episode_id, start_date, end_date,
    delivery_id, line
FROM staging.stg_early_help__episodes
UNION ALL
SELECT
    'TEHAssessment', 'assessments', record_key, teh_episode_id, start_date, completion_date, delivery_id, line
FROM staging.stg_early_help__assessments
UNION ALL
SELECT 'TEHPlan', 'plans', record_key, teh_episode_id, start_date, end_date, delivery_id, line
FROM staging.stg_early_help__plans
UNION ALL
SELECT
    'LeadPractitioner', 'lead_practitioners', record_key, teh_episode_id, start_date, end_date, delivery_id, line
FROM staging.stg_early_help__lead_practitioners;

-- The episodes of the marts by what the profile's cohort says of them.
CREATE OR REPLACE TEMP TABLE chosen_episodes AS
SELECT
    e.child_key AS child_id,
    e.teh_episode_id,
    CASE
        WHEN requires_plan() = 1 AND NOT EXISTS (
            SELECT 1 FROM returns.tehadc_plans AS p
            WHERE
                p.child_key = e.child_key AND p.teh_episode_id = e.teh_episode_id
                AND p.teh_plan_start_date IS NOT NULL
        ) THEN 'no_plan'
        WHEN requires_lead_practitioner() = 1 AND NOT EXISTS (
            SELECT 1 FROM returns.tehadc_lead_practitioners AS p
            WHERE
                p.child_key = e.child_key AND p.teh_episode_id = e.teh_episode_id
                AND p.lead_practitioner_start_date IS NOT NULL
        ) THEN 'no_lead_practitioner'
    END AS left_out
FROM returns.tehadc_episodes AS e;

CREATE OR REPLACE TEMP TABLE placed AS
SELECT
    l.*,
    r.child_id,
    b.date_of_birth,
    p.record_key IS NOT NULL AS is_person_known,
    s.line IS NOT NULL AND c.child_id IS NOT NULL AND c.left_out IS NULL AS is_in_return,
    c.child_id IS NOT NULL AS has_episode,
    c.left_out
FROM loaded AS l
LEFT JOIN intermediate.int_persons__records AS r ON l.record_key = r.record_key
LEFT JOIN (SELECT DISTINCT record_key FROM identity.person_records) AS p
    ON l.record_key = p.record_key
LEFT JOIN intermediate.int_census__particulars AS b ON r.child_id = b.child_id
LEFT JOIN (
    SELECT DISTINCT source_table, delivery_id, line FROM intermediate.int_census__sources
    WHERE starts_with(return_table, 'tehadc_')
) AS s
    ON l.source_table = s.source_table AND l.delivery_id = s.delivery_id AND l.line = s.line
LEFT JOIN chosen_episodes AS c ON r.child_id = c.child_id AND l.teh_episode_id = c.teh_episode_id;

CREATE OR REPLACE TEMP TABLE of_feed AS
SELECT
    module, child_id, record_key, source_table, delivery_id, line, start_date, end_date, NULL AS detail,
    CASE
        WHEN is_in_return THEN NULL
        WHEN child_id IS NULL AND NOT is_person_known THEN 'no_person'
        WHEN child_id IS NULL THEN 'not_linked'
        WHEN start_date IS NULL THEN 'no_date'
        WHEN start_date > period_end() THEN 'after_the_year'
        WHEN left_out IS NOT NULL THEN left_out
        WHEN module = 'TEHEpisode' AND end_date < period_start() THEN 'before_the_year'
        WHEN module = 'TEHEpisode' AND date_sub('year', date_of_birth, start_date) >= 18 THEN 'adult'
        WHEN module <> 'TEHEpisode' AND NOT has_episode THEN 'episode_left_out'
        WHEN has_episode THEN 'entered_twice'
        ELSE 'unexplained'
    END AS category
FROM placed
UNION ALL BY NAME
SELECT
    t.module, q.table_name AS source_table, q.delivery_id, q.line, 'set_aside' AS category,
    string_agg(DISTINCT concat_ws(' ', q.column_name, q.rule), '; ' ORDER BY concat_ws(' ', q.column_name, q.rule))
        AS detail
FROM quarantine.rows AS q
JOIN (SELECT DISTINCT module, source_table, delivery_id FROM loaded) AS t
    ON q.table_name = t.source_table AND q.delivery_id = t.delivery_id
WHERE q.feed = 'early_help' AND (q.table_name, q.delivery_id, q.line) NOT IN (
    SELECT (source_table, delivery_id, line) FROM loaded
)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE of_view AS
WITH in_view AS (
    SELECT i.child_id, i.since, i.state, i.source
    FROM single_view.involvements AS i
    WHERE
        i.service = 'early_help' AND i.state IN ('current', 'historic', 'late')
        AND i.since <= period_end() AND coalesce(i.until >= period_start(), TRUE)
),
in_return AS (SELECT DISTINCT child_id FROM chosen_episodes WHERE left_out IS NULL),
out_of_it AS (SELECT child_id, min(left_out) AS left_out FROM chosen_episodes GROUP BY child_id),
grown_up AS (
    SELECT DISTINCT child_id FROM placed
    WHERE module = 'TEHEpisode' AND date_sub('year', date_of_birth, start_date) >= 18
)
SELECT
    'Child' AS module,
    coalesce(v.child_id, r.child_id) AS child_id,
    v.child_id IS NOT NULL AS is_in_view,
    r.child_id IS NOT NULL AS is_in_return,
    CASE
        WHEN v.child_id IS NOT NULL AND r.child_id IS NOT NULL THEN NULL
        WHEN r.child_id IS NULL AND o.left_out IS NOT NULL THEN o.left_out
        WHEN r.child_id IS NULL AND g.child_id IS NOT NULL THEN 'adult'
        WHEN r.child_id IS NULL AND v.source <> 'early_help' THEN 'other_feed'
        WHEN r.child_id IS NULL THEN 'unexplained'
        WHEN c.child_id IS NULL THEN 'grown_up'
        WHEN i.state = 'not_shared' THEN 'not_shared'
        WHEN i.source <> 'early_help' THEN 'other_feed'
        WHEN i.since > period_end() THEN 'later_work'
        ELSE 'unexplained'
    END AS category
FROM in_view AS v
FULL JOIN in_return AS r ON v.child_id = r.child_id
LEFT JOIN out_of_it AS o ON v.child_id = o.child_id
LEFT JOIN grown_up AS g ON v.child_id = g.child_id
LEFT JOIN single_view.children AS c ON r.child_id = c.child_id
LEFT JOIN single_view.involvements AS i ON r.child_id = i.child_id AND i.service = 'early_help';
