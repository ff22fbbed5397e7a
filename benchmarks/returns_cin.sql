-- A made-up CIN census of {children} children, the same for the same number: one or two episodes each, most with an
-- assessment, a fifth with an enquiry and conference, an eighth with a protection plan. One in fifty has a fault.
CREATE SCHEMA returns;

CREATE TABLE seed AS
SELECT
    i, 'k' || i AS child_key, hash(i) % 1000 AS a, hash(i * 7 + 1) % 1000 AS b, hash(i * 13 + 2) % 1000 AS c,
    DATE '2025-04-01' + (hash(i * 17 + 3) % 250)::INTEGER AS referred,
    '801' || lpad(i::VARCHAR, 8, '0') || '0' AS upn_rest
FROM range(1, {children} + 1) AS t (i);

CREATE TABLE returns.cin_children AS
SELECT
    child_key, 'B' || i AS la_child_id,
    CASE WHEN a % 50 = 7 THEN 'A' ELSE upn_letter(upn_rest) END || upn_rest AS upn,
    NULL::VARCHAR AS former_upn, NULL::VARCHAR AS upn_unknown,
    DATE '2009-04-01' + (hash(i * 19 + 4) % 5800)::INTEGER AS person_birth_date,
    NULL::DATE AS expected_person_birth_date,
    CASE WHEN b < 480 THEN 'F' ELSE 'M' END AS sex,
    NULL::DATE AS person_death_date,
    ['WBRI', 'WOTH', 'MWBC', 'APKN', 'BAFR', 'OOTH', 'NOBT'][1 + (c % 7)::INTEGER] AS ethnicity
FROM seed;

CREATE TABLE returns.cin_disabilities AS
SELECT child_key, unnest(CASE
    WHEN b < 860 THEN ['NONE'] WHEN b < 930 THEN ['LD', 'AUT'] ELSE [['MOB', 'HAND', 'PC', 'INC', 'COMM', 'VIS'][1 + (c % 6)::INTEGER]]
END) AS disability
FROM seed;

CREATE TABLE returns.cin_details AS
SELECT
    child_key, child_key || '-1' AS cin_key, referred AS cin_referral_date,
    ['1A', '2A', '3A', '6', '5B', '8'][1 + (a % 6)::INTEGER] AS referral_source,
    ['N1', 'N2', 'N4', 'N5'][1 + (b % 4)::INTEGER] AS primary_need_code,
    CASE WHEN c < 500 THEN referred + 90 END AS cin_closure_date,
    CASE WHEN c < 500 THEN 'RC7' END AS reason_for_closure,
    NULL::DATE AS date_of_initial_cpc,
    '0' AS referral_nfa
FROM seed
UNION ALL
SELECT
    child_key, child_key || '-0', DATE '2025-04-01' + (c % 2)::INTEGER, '2A', NULL, NULL, NULL, NULL, '1'
FROM seed WHERE a < 150 AND referred > DATE '2025-04-05';

CREATE TABLE returns.cin_assessments AS
SELECT
    child_key, child_key || '-1' AS cin_key, child_key || '-1-A1' AS assessment_key,
    CASE WHEN c % 50 = 3 THEN referred - 2 ELSE referred + 1 END AS assessment_actual_start_date,
    NULL::DATE AS assessment_internal_review_date, referred + 30 AS assessment_authorisation_date
FROM seed WHERE a < 900
UNION ALL
SELECT
    child_key, child_key || '-1', child_key || '-1-A2', referred + 50, NULL, referred + 80
FROM seed WHERE a < 250;

CREATE TABLE returns.cin_assessment_factors AS
SELECT child_key, cin_key, assessment_key, unnest(
    ['1B', '2B', '3A', '3B', '4B', '16A', '17A'][1:2 + (hash(assessment_key) % 6)::INTEGER]
)
    AS assessment_factor
FROM returns.cin_assessments;

CREATE TABLE returns.cin_plan_dates AS
SELECT
    child_key, child_key || '-1' AS cin_key, child_key || '-1-N1' AS plan_key, referred + 45 AS cin_plan_start_date,
    CASE WHEN c < 500 THEN referred + 85 END AS cin_plan_end_date
FROM seed WHERE b >= 200 AND referred + 45 <= DATE '2026-03-31';

CREATE TABLE returns.cin_section47 AS
SELECT
    child_key, child_key || '-1' AS cin_key, child_key || '-1-S1' AS s47_key, referred + 5 AS s47_actual_start_date,
    NULL::DATE AS initial_cpc_target,
    CASE WHEN b < 125 THEN monday END AS date_of_initial_cpc,
    CASE WHEN b < 125 THEN '0' ELSE '1' END AS icpc_not_required
FROM (SELECT *, referred + 20 - (isodow(referred + 20) - 1)::INTEGER AS monday FROM seed WHERE b < 200);

CREATE TABLE returns.cin_protection_plans AS
SELECT
    child_key, cin_key, cin_key || '-P1' AS cpp_key, date_of_initial_cpc AS cpp_start_date, NULL::DATE AS cpp_end_date,
    'NEG' AS initial_category_of_abuse, 'EMO' AS latest_category_of_abuse, '0' AS number_of_previous_cpp
FROM returns.cin_section47 WHERE date_of_initial_cpc IS NOT NULL;

CREATE TABLE returns.cin_reviews AS
SELECT child_key, cin_key, cpp_key, cpp_start_date + (n * 80)::INTEGER AS cpp_review_date
FROM returns.cin_protection_plans, range(1, 4) AS t (n)
WHERE cpp_start_date + (n * 80)::INTEGER <= DATE '2026-03-31';

DROP TABLE seed;
