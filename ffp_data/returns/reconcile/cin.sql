-- What the case feed and the single view hold, and what became of it in the CIN census. Every row of the feed that is
-- not in the return, and every child whom return and single view don't both hold, gets the first reason that fits.
-- Needs the macros period_start() and period_end().

CREATE OR REPLACE TEMP TABLE loaded AS
SELECT
    'CINdetails' AS module, 'ssd_cin_episodes' AS source_table, record_key, referral_id,
    referral_date AS start_date, closure_date AS end_date,
    coalesce(is_no_further_action, FALSE) AS is_nfa, FALSE AS is_for_other, delivery_id, line
FROM staging.stg_case_system__referrals
UNION ALL BY NAME
SELECT
    'Assessments' AS module, 'ssd_cin_assessments' AS source_table, record_key, referral_id,
    start_date, authorisation_date AS end_date, FALSE AS is_nfa, FALSE AS is_for_other, delivery_id, line
FROM staging.stg_case_system__assessments
UNION ALL BY NAME
SELECT
    'CINPlanDates' AS module, 'ssd_cin_plans' AS source_table, record_key, referral_id,
    start_date, end_date, FALSE AS is_nfa, FALSE AS is_for_other, delivery_id, line
FROM staging.stg_case_system__need_plans
UNION ALL BY NAME
SELECT
    'Section47' AS module, 'ssd_s47_enquiry' AS source_table, e.record_key, e.referral_id,
    e.start_date, coalesce(min(c.conference_date), any_value(e.end_date)) AS end_date,
    FALSE AS is_nfa, FALSE AS is_for_other, e.delivery_id, e.line
FROM staging.stg_case_system__enquiries AS e
LEFT JOIN staging.stg_case_system__conferences AS c
    ON e.enquiry_id = c.enquiry_id AND NOT coalesce(c.is_transfer_in, FALSE)
GROUP BY ALL
UNION ALL BY NAME
SELECT
    'ChildProtectionPlans' AS module, 'ssd_cp_plans' AS source_table, record_key, referral_id,
    start_date, end_date, FALSE AS is_nfa, coalesce(is_for_other_authority, FALSE) AS is_for_other,
    delivery_id, line
FROM staging.stg_case_system__protection_plans
UNION ALL BY NAME
SELECT
    'Reviews' AS module, 'ssd_cp_reviews' AS source_table, record_key, NULL AS referral_id,
    review_date AS start_date, review_date AS end_date, FALSE AS is_nfa, FALSE AS is_for_other,
    delivery_id, line
FROM staging.stg_case_system__protection_reviews;

CREATE OR REPLACE TEMP TABLE linked AS
SELECT
    l.*,
    r.child_id,
    p.record_key IS NOT NULL AS is_person_known,
    s.line IS NOT NULL AS is_in_return
FROM loaded AS l
LEFT JOIN intermediate.int_persons__records AS r ON l.record_key = r.record_key
LEFT JOIN (SELECT DISTINCT record_key FROM identity.person_records) AS p
    ON l.record_key = p.record_key
LEFT JOIN (
    SELECT DISTINCT source_table, delivery_id, line FROM intermediate.int_census__sources
    WHERE starts_with(return_table, 'cin_')
) AS s
    ON l.source_table = s.source_table AND l.delivery_id = s.delivery_id AND l.line = s.line;

CREATE OR REPLACE TEMP TABLE placed AS
SELECT
    l.*,
    rf.canonical_referral_id IS NOT NULL AS is_referral_known,
    EXISTS (
        SELECT 1 FROM intermediate.int_census__episodes AS e
        WHERE
            e.child_id = l.child_id
            AND CASE
                WHEN rf.canonical_referral_id IS NOT NULL THEN e.referral_id = rf.canonical_referral_id
                ELSE l.start_date >= e.referral_date AND coalesce(l.start_date <= e.closure_date, TRUE)
            END
    ) AS has_episode,
    EXISTS (
        SELECT 1 FROM intermediate.int_census__protection_plans AS p
        WHERE
            p.child_id = l.child_id
            AND l.start_date >= p.start_date AND coalesce(l.start_date <= p.end_date, TRUE)
    ) AS has_plan,
    bool_or(l.is_in_return) OVER (
        PARTITION BY l.child_id, l.module, l.start_date, l.end_date
    ) AS is_copy_in_return
FROM linked AS l
LEFT JOIN intermediate.int_census__referrals AS rf
    ON l.child_id = rf.child_id AND l.referral_id = rf.referral_id;

CREATE OR REPLACE TEMP TABLE of_feed AS
SELECT
    module, child_id, record_key, source_table, delivery_id, line, start_date, end_date, NULL AS detail,
    CASE
        WHEN is_in_return THEN NULL
        WHEN child_id IS NULL AND NOT is_person_known THEN 'no_person'
        WHEN child_id IS NULL THEN 'not_linked'
        WHEN start_date IS NULL THEN 'no_date'
        WHEN start_date > period_end() THEN 'after_the_year'
        WHEN is_for_other THEN 'other_authority'
        WHEN is_nfa AND coalesce(end_date, start_date) < period_start() THEN 'no_further_action_before'
        WHEN end_date < period_start() THEN 'before_the_year'
        WHEN is_copy_in_return THEN 'entered_twice'
        WHEN module = 'Reviews' AND NOT has_plan THEN 'outside_plans'
        WHEN module <> 'CINdetails' AND NOT has_episode AND is_referral_known THEN 'episode_left_out'
        WHEN module <> 'CINdetails' AND NOT has_episode THEN 'outside_episodes'
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
WHERE q.feed = 'case_system' AND (q.table_name, q.delivery_id, q.line) NOT IN (
    SELECT (source_table, delivery_id, line) FROM loaded
)
GROUP BY ALL;

-- Children whom the single view shows in social care's work on a day of the year.
CREATE OR REPLACE TEMP TABLE in_view AS
SELECT
    i.*,
    c.is_unborn,
    coalesce(
        i.state IN ('current', 'historic', 'late') AND i.since <= period_end()
        AND coalesce(i.until >= period_start(), TRUE),
        FALSE
    ) AS is_in_year
FROM single_view.involvements AS i
JOIN single_view.children AS c USING (child_id)
WHERE i.service = 'social_care';

CREATE OR REPLACE TEMP TABLE of_view AS
WITH in_return AS (
    SELECT c.child_key AS child_id, bool_and(d.referral_nfa = '1') AS is_nfa_only
    FROM returns.cin_children AS c JOIN returns.cin_details AS d USING (child_key)
    GROUP BY ALL
),
care AS (
    SELECT DISTINCT r.child_id
    FROM staging.stg_case_system__care_episodes AS e
    JOIN intermediate.int_persons__records AS r USING (record_key)
    WHERE e.start_date <= period_end() AND coalesce(e.end_date >= period_start(), TRUE)
),
shown AS (SELECT child_id FROM single_view.children)
SELECT
    'Child' AS module,
    coalesce(v.child_id, r.child_id) AS child_id,
    coalesce(v.is_in_year, FALSE) AS is_in_view,
    r.child_id IS NOT NULL AS is_in_return,
    CASE
        WHEN coalesce(v.is_in_year, FALSE) = (r.child_id IS NOT NULL) THEN NULL
        WHEN r.child_id IS NULL AND care.child_id IS NOT NULL THEN 'care_without_need'
        WHEN r.child_id IS NULL THEN 'unexplained'
        WHEN shown.child_id IS NULL THEN 'grown_up'
        WHEN r.is_nfa_only THEN 'no_further_action'
        WHEN v.state = 'not_shared' THEN 'not_shared'
        WHEN v.since > period_end() THEN 'later_work'
        ELSE 'unexplained'
    END AS category
FROM (SELECT * FROM in_view WHERE is_in_year OR child_id IN (SELECT child_id FROM in_return)) AS v
FULL JOIN in_return AS r ON v.child_id = r.child_id
LEFT JOIN care ON care.child_id = v.child_id
LEFT JOIN shown ON shown.child_id = r.child_id
UNION ALL
SELECT
    'Unborn child' AS module,
    c.child_key,
    coalesce(v.is_unborn, FALSE),
    c.person_birth_date IS NULL AND c.expected_person_birth_date IS NOT NULL AS is_unborn_in_return,
    CASE
        WHEN coalesce(v.is_unborn, FALSE) = is_unborn_in_return THEN NULL
        WHEN v.child_id IS NULL THEN 'grown_up'
        WHEN v.date_of_birth > period_end() THEN 'born_after_the_year'
        WHEN v.date_of_birth IS NOT NULL AND v.date_of_birth_source NOT IN (
            SELECT feed FROM intermediate.int_feeds__states WHERE is_for_returns
        ) THEN 'not_for_returns'
        ELSE 'unexplained'
    END
FROM returns.cin_children AS c
LEFT JOIN single_view.children AS v ON c.child_key = v.child_id
WHERE coalesce(v.is_unborn, FALSE) OR (c.person_birth_date IS NULL AND c.expected_person_birth_date IS NOT NULL);
