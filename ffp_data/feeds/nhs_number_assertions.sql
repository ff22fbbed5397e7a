-- What was said of the NHS numbers of the council's records, by the SUI Matcher and by the Department's service
-- "Get an Identifier", one row for each row of their files, each with a tier:
--   high      a match that passes every test below
--   review    a match that fails one, or a lesser one: listed for a person, never used
--   conflict  several people, one record with two numbers, or one number for two records
--   not_known no answer, which says nothing: an outage of the search reads as NoMatch
-- `reasons` names the tests that failed, `effect` what a high assertion does: it fills the number of a record that
-- has none, confirms the one that is there, says by which number that one was superseded, or waits, because another
-- child's record holds the number already and an assertion alone joins no two children.
WITH sent AS (
    SELECT
        'full_results' AS table_name, record_id, status, try_cast(score AS DOUBLE) AS score, r.nhs_number, search_id,
        i.given_name, i.surname, i.date_of_birth, i.sex, i.postcode, _delivery_id, _line
    FROM raw.sui_matcher__full_results AS r
    INNER JOIN identity.sui_matcher__full_results AS i USING (_delivery_id, _line, record_id)
    UNION ALL BY NAME
    SELECT
        'watcher_results' AS table_name, record_id, status, try_cast(score AS DOUBLE) AS score, r.nhs_number,
        i.given_name, i.surname, i.date_of_birth, i.sex, i.postcode, _delivery_id, _line
    FROM raw.sui_matcher__watcher_results AS r
    INNER JOIN identity.sui_matcher__watcher_results AS i USING (_delivery_id, _line, record_id)
    UNION ALL BY NAME
    -- The storage job writes these from Match with 0.95 or more; they add nothing to the full results beside them.
    SELECT 'successes' AS table_name, record_id, 'Match' AS status, nhs_number, _delivery_id, _line
    FROM raw.sui_matcher__successes
    ANTI JOIN raw.sui_matcher__full_results USING (record_id, nhs_number)
    UNION ALL BY NAME
    -- The hub asked the service itself, with what the row holds: it needs no manifest, no score and no search id.
    SELECT
        'answers' AS table_name, record_id,
        MAP {'found': 'Match', 'not_found': 'NoMatch', 'refused': 'Error'}[outcome] AS status,
        r.nhs_number, r.asked_on, i.given_name, i.surname, i.date_of_birth, i.sex, i.postcode, _delivery_id, _line
    FROM raw.sui_matcher__answers AS r
    INNER JOIN identity.sui_matcher__answers AS i USING (_delivery_id, _line, record_id)
),

-- A manifest is for the bytes it names, or for the results in the same archive.
said_of_runs AS (
    SELECT results_sha256 AS results, * FROM raw.sui_matcher__runs
    UNION ALL
    SELECT _delivery_id AS results, * FROM raw.sui_matcher__runs
    QUALIFY count(*) OVER (PARTITION BY _delivery_id) = 1
),

runs AS (
    SELECT * FROM said_of_runs
    QUALIFY row_number() OVER (PARTITION BY results ORDER BY run_date DESC, _delivery_id, _line) = 1
),

deliveries AS (
    SELECT DISTINCT delivery_id AS _delivery_id, delivered_at FROM meta.deliveries
    WHERE feed = 'sui_matcher' AND status = 'loaded'
),

made AS (
    SELECT
        sent.* EXCLUDE (asked_on), table_name = 'answers' AS is_own_question, runs.results IS NOT NULL AS has_manifest,
        runs.strategy, runs.strategy_version, runs.mode, runs.source_feed, runs.source_system,
        coalesce(sent.asked_on, runs.run_date, deliveries.delivered_at::DATE) AS asserted_on
    FROM sent
    INNER JOIN deliveries USING (_delivery_id)
    LEFT JOIN runs ON sent._delivery_id = runs.results
),

-- Whose record an id is: the hub's own key, or a case number that one record alone has.
own AS (
    SELECT * FROM identity.person_records WHERE feed IN ('case_system', 'early_help')
),

candidates AS (
    SELECT made._delivery_id, made._line, own.record_key
    FROM made INNER JOIN own ON made.record_id = own.record_key
    UNION
    SELECT made._delivery_id, made._line, own.record_key
    FROM made INNER JOIN own ON made.record_id = own.source_person_id
    WHERE own.feed = coalesce(made.source_feed, own.feed) AND own.system = coalesce(made.source_system, own.system)
),

placed AS (
    SELECT _delivery_id, _line, min(record_key) AS record_key
    FROM candidates GROUP BY ALL HAVING count(*) = 1
),

read AS (
    SELECT
        made.*, placed.record_key, own.date_of_birth AS own_date_of_birth, own.nhs_number AS own_number,
        clean_nhs_number(made.nhs_number) AS number,
        made.status = 'ManyMatch' AS is_many,
        made.nhs_number IN ('-', '') OR made.status IN (
            'NoMatch', 'Error', 'LocalDemographicsDidNotMatchToAnNhsNumber', 'LocalNhsNumberIsNotValid',
            'LocalNhsNumberIsNotFoundInNhs'
        ) AS is_unanswered
    FROM made
    LEFT JOIN placed USING (_delivery_id, _line)
    LEFT JOIN own USING (record_key)
),

tested AS (
    SELECT
        *,
        list_filter([
            CASE WHEN NOT has_manifest AND NOT is_own_question THEN 'no_manifest' END,
            -- Strategy 5 drops the given name, so that twins and siblings answer for one another.
            CASE WHEN strategy NOT BETWEEN 1 AND 4 THEN 'searched_without_given_name' END,
            CASE WHEN mode = 'reconciliation' OR status LIKE '%Differences' THEN 'reconciliation' END,
            CASE WHEN status = 'LocalNhsNumberIsSuperseded' THEN 'superseded' END,
            CASE WHEN status IN ('PotentialMatch', 'LowConfidenceMatch') THEN 'low_score' END,
            CASE
                WHEN status = 'Match' AND table_name NOT IN ('successes', 'answers') AND coalesce(score, 0) < 0.95
                    THEN 'low_score'
            END,
            CASE WHEN number IS NULL THEN 'invalid_number' END,
            CASE
                WHEN NOT is_own_question
                    AND search_id IS DISTINCT FROM sui_search_id(given_name, surname, date_of_birth, sex, postcode)
                    THEN 'search_id'
            END,
            CASE WHEN record_key IS NULL THEN 'unknown_record' END,
            CASE WHEN date_of_birth <> own_date_of_birth THEN 'another_birth_date' END,
            CASE WHEN number <> own_number THEN 'another_number_held' END
        ], lambda reason: reason IS NOT NULL) AS reasons,
        status = 'Match' AND number IS NOT NULL AS is_match,
        status = 'LocalNhsNumberIsSuperseded' AND number <> own_number AS is_superseding,
        coalesce(record_key, record_id) AS whose
    FROM read
),

clashing AS (
    SELECT
        *,
        is_match AND (
            min(number) FILTER (is_match) OVER (PARTITION BY whose)
            <> max(number) FILTER (is_match) OVER (PARTITION BY whose)
            OR min(whose) FILTER (is_match) OVER (PARTITION BY number)
            <> max(whose) FILTER (is_match) OVER (PARTITION BY number)
        ) AS is_clash
    FROM tested
),

tiers AS (
    SELECT
        *,
        CASE
            WHEN is_many THEN 'conflict'
            WHEN is_unanswered THEN 'not_known'
            WHEN is_clash THEN 'conflict'
            WHEN len(reasons) = 0 THEN 'high'
            -- What is said of a superseded number fails these three by its nature, and no other.
            WHEN is_superseding AND list_has_all(['reconciliation', 'superseded', 'another_number_held'], reasons)
                THEN 'high'
            ELSE 'review'
        END AS tier
    FROM clashing
),

-- Numbers that a child known since the last run has from another record.
held AS (
    SELECT DISTINCT p.nhs_number AS number, m.child_id
    FROM identity.person_records AS p INNER JOIN identity.child_membership AS m USING (record_key)
    WHERE p.nhs_number IS NOT NULL
)

SELECT
    tiers.record_key,
    CASE WHEN tier <> 'not_known' THEN coalesce(number, nullif(tiers.nhs_number, '-')) END AS nhs_number,
    tier,
    concat('sui_matcher.', table_name, ' strategy ' || strategy, ' version ' || strategy_version) AS method,
    score,
    asserted_on,
    CASE
        WHEN tier <> 'high' THEN NULL
        WHEN is_superseding THEN 'supersedes'
        WHEN own_number IS NOT NULL THEN 'confirms'
        WHEN EXISTS (
            SELECT 1 FROM held WHERE held.number = tiers.number AND held.child_id <> mine.child_id
        ) THEN 'waits'
        ELSE 'fills'
    END AS effect,
    CASE WHEN tier = 'not_known' OR is_superseding AND tier = 'high' THEN []::VARCHAR[] ELSE reasons END AS reasons,
    CASE WHEN status = 'LocalNhsNumberIsSuperseded' THEN own_number END AS former_number,
    _delivery_id AS delivery_id,
    _line AS line
FROM tiers
LEFT JOIN identity.child_membership AS mine ON tiers.record_key = mine.record_key
ORDER BY delivery_id, line, method
