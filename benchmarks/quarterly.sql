-- Rows of the quarterly marts for $children children, each from hashes of its number: more events than any council has
-- (a spell of help for every child, a group decision for one in three), so that the time is an upper bound.
CREATE SCHEMA quarterly;
CREATE TEMP MACRO pick(n, what, most) AS (hash(n::VARCHAR || what) % most)::INTEGER;
CREATE TEMP MACRO day(n, what) AS DATE '2024-04-01' + pick(n, what, 730);
CREATE TEMP TABLE children AS SELECT range AS n, 'C' || lpad(range::VARCHAR, 12, '0') AS child_id FROM range($children);

CREATE TABLE quarterly.spells AS
SELECT
    child_id, child_id AS la_child_id, kind, day(n, kind) AS start_date,
    CASE WHEN pick(n, kind || 'end', 3) > 0 THEN day(n, kind) + 30 + pick(n, kind || 'long', 300) END AS end_date,
    CASE WHEN kind = 'looked_after' THEN 'E4A' END AS detail, true AS is_confident, kind AS source_table,
    'case_system|x|' || n AS record_key, repeat('0', 64) AS delivery_id, n AS line
FROM children, (VALUES ('teh', 2), ('cin', 2), ('strategy', 12), ('enquiry', 12), ('cp_plan', 20), ('looked_after', 30),
    ('pre_proceedings', 40), ('return_home', 90)) AS k(kind, one_in)
WHERE pick(n, kind || 'has', one_in) = 0;

CREATE TABLE quarterly.interventions AS
SELECT
    child_id, 'E' || n AS intervention_id, day(n, 'enquiry') AS start_date,
    CASE WHEN pick(n, 'open', 3) > 0 THEN day(n, 'enquiry') + 20 + pick(n, 'i', 300) END AS end_date,
    'strategy discussion' AS start_basis, 'plan ended' AS end_basis, day(n, 'enquiry') + 10 AS enquiry_end_date,
    day(n, 'enquiry') + 15 AS conference_date, day(n, 'enquiry') + 15 AS plan_start_date, NULL::DATE AS plan_end_date,
    pick(n, 'team', 3) > 0 AS is_with_team, day(n, 'enquiry') AS team_start_date, NULL::DATE AS team_end_date,
    pick(n, 'harm', 9) = 0 AS is_harm_outside_home, true AS is_confident, 'ssd_s47_enquiry' AS source_table,
    'case_system|x|' || n AS record_key, repeat('0', 64) AS delivery_id, n AS line
FROM children WHERE pick(n, 'enquiryhas', 12) = 0;

CREATE TABLE quarterly.group_decisions AS
SELECT
    child_id, 'F' || n // 2 AS fgdm_id, 'earlier' AS trigger_code,
    CASE WHEN pick(n, 'rec', 4) = 0 THEN ['family_help', 'child_protection', 'pre_proceedings', 'reunification'][1 + pick(n, 'st', 4)]
    END AS stage_code,
    day(n, 'offer') AS offered_date, true AS is_accepted, NULL::DATE AS withdrawn_date, NULL::VARCHAR AS withdrawn_reason,
    NULL::DATE AS not_offered_date, NULL::VARCHAR AS not_offered_reason, NULL::BOOLEAN AS is_signed_off,
    CASE WHEN pick(n, 'met', 3) > 0 THEN day(n, 'offer') + 30 END AS meeting_date, pick(n, 'met', 3) > 0 AS is_plan_agreed,
    NULL::DATE AS plan_agreed_date, day(n, 'offer') + pick(n, 'late', 40) AS recorded_date, true AS is_confident,
    'case_system|x|' || n AS record_key, repeat('0', 64) AS delivery_id, n AS line
FROM children WHERE pick(n, 'fgdm', 3) = 0;

CREATE TABLE quarterly.packages AS
SELECT
    child_id, 'N' || n // 2 AS fnsp_id, NULL::VARCHAR AS fgdm_id, NULL::VARCHAR AS stage_code, 's17' AS route_code,
    'Travel' AS purpose, day(n, 'offer') AS agreed_date, NULL::DATE AS approved_date,
    CASE WHEN pick(n, 'paid', 5) > 0 THEN day(n, 'offer') + pick(n, 'days', 60) - 2 END AS distributed_date,
    (50 + pick(n, 'pounds', 3000))::DECIMAL(12, 2) AS amount_pounds, NULL::DATE AS recorded_date, true AS is_confident,
    'case_system|x|' || n AS record_key, repeat('0', 64) AS delivery_id, n AS line
FROM children WHERE pick(n, 'package', 8) = 0;

CREATE TABLE quarterly.enquiries AS
SELECT child_id, intervention_id AS enquiry_id, start_date, enquiry_end_date AS end_date, is_confident, record_key, delivery_id, line
FROM quarterly.interventions;
CREATE TABLE quarterly.parent_offers AS
SELECT 'A' || line AS adult_id, 'O' || line AS offer_id, enquiry_id, start_date AS offered_date, true AS is_taken_up, record_key,
    delivery_id, line
FROM quarterly.enquiries WHERE pick(line, 'parent', 5) > 0;
CREATE TABLE quarterly.consultations AS
SELECT child_id, 'K' || n AS consultation_id, day(n, 'cons') AS consulted_date, NULL::VARCHAR AS asked_by_team, true AS is_confident,
    'case_system|x|' || n AS record_key, repeat('0', 64) AS delivery_id, n AS line
FROM children WHERE pick(n, 'cons', 20) = 0;
CREATE TABLE quarterly.legal_steps AS
SELECT child_id, 'G' || line AS tracker_id, NULL::DATE AS legal_planning_date, start_date AS letter_date, NULL::DATE AS first_meeting_date,
    NULL::DATE AS application_date, end_date, NULL::VARCHAR AS end_reason_code, is_confident, record_key, delivery_id, line
FROM quarterly.spells WHERE kind = 'pre_proceedings';
CREATE TABLE quarterly.practitioners AS
SELECT 'W' || range AS worker_id, 'local_authority' AS employer_code, 'family_help_lead' AS role_code, 'Worker' AS job_title,
    'G' AS grade, range % 2 = 0 AS is_social_work_qualified, NULL::VARCHAR AS specialism, range % 9 = 0 AS is_fgdm_facilitator,
    range % 7 = 0 AS is_in_macpt, NULL::DATE AS from_date, NULL::DATE AS to_date, repeat('0', 64) AS delivery_id, range AS line
FROM range($children // 100);
CREATE TABLE quarterly.lead_workers AS
SELECT child_id, 'W' || pick(n, 'w', 900) AS worker_id, day(n, 'cin') AS start_date, NULL::DATE AS end_date, true AS is_confident,
    'case_system|x|' || n AS record_key, repeat('0', 64) AS delivery_id, n AS line
FROM children WHERE pick(n, 'led', 2) = 0;
