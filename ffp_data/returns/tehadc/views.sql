-- Tables that the TEHADC rules read. Those of the CIN census stand beside them (cin/views.sql).

CREATE OR REPLACE TEMP TABLE teh_child AS
SELECT
    CAST(child_key AS VARCHAR) AS child_key,
    nullif(trim(CAST(la_child_id AS VARCHAR)), '') AS la_child_id,
    nullif(trim(upn), '') AS upn,
    nullif(trim(upn_unknown), '') AS upn_unknown,
    person_birth_date,
    expected_person_birth_date,
    nullif(trim(sex), '') AS sex,
    nullif(trim(ethnicity), '') AS ethnicity
FROM {schema}.tehadc_children;

CREATE OR REPLACE TEMP TABLE teh_disability AS
SELECT CAST(child_key AS VARCHAR) AS child_key, trim(disability) AS disability
FROM {schema}.tehadc_disabilities
WHERE nullif(trim(disability), '') IS NOT NULL;

CREATE OR REPLACE TEMP TABLE teh_episode AS
SELECT
    CAST(e.child_key AS VARCHAR) AS child_key,
    CAST(e.teh_episode_id AS VARCHAR) AS teh_episode_id,
    e.teh_referral_date,
    nullif(trim(e.teh_referral_source), '') AS teh_referral_source,
    e.teh_start_date,
    e.teh_end_date,
    coalesce(e.teh_end_date, reference_date()) AS runs_to,
    nullif(trim(e.teh_closure_reason), '') AS teh_closure_reason,
    e.step_up_date,
    c.la_child_id,
    c.person_birth_date,
    c.expected_person_birth_date
FROM {schema}.tehadc_episodes AS e
LEFT JOIN teh_child AS c ON c.child_key = CAST(e.child_key AS VARCHAR);

CREATE OR REPLACE TEMP TABLE teh_assessment AS
SELECT
    CAST(child_key AS VARCHAR) AS child_key,
    CAST(teh_episode_id AS VARCHAR) AS teh_episode_id,
    teh_assessment_start_date,
    teh_assessment_completion_date
FROM {schema}.tehadc_assessments;

CREATE OR REPLACE TEMP TABLE teh_plan AS
SELECT
    CAST(child_key AS VARCHAR) AS child_key,
    CAST(teh_episode_id AS VARCHAR) AS teh_episode_id,
    teh_plan_start_date,
    teh_plan_end_date
FROM {schema}.tehadc_plans;

CREATE OR REPLACE TEMP TABLE teh_lead AS
SELECT
    CAST(child_key AS VARCHAR) AS child_key,
    CAST(teh_episode_id AS VARCHAR) AS teh_episode_id,
    lead_practitioner_start_date,
    lead_practitioner_end_date
FROM {schema}.tehadc_lead_practitioners;

-- Episodes of need that went past referral, under the identifier both returns share.
CREATE OR REPLACE TEMP TABLE need AS
SELECT
    c.la_child_id,
    e.child_key AS cin_child_key,
    e.cin_key,
    e.cin_referral_date,
    e.cin_closure_date,
    coalesce(e.cin_closure_date, reference_date()) AS runs_to,
    e.reason_for_closure
FROM episode AS e
JOIN child AS c USING (child_key)
WHERE e.is_past_referral AND c.la_child_id IS NOT NULL;
