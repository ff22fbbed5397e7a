-- Tables that the rules read: one for each module, with what a rule often needs of the levels
-- above beside it. Blank text counts as missing. {schema} is the schema of the return.

CREATE OR REPLACE TEMP TABLE child AS
SELECT
    CAST(child_key AS VARCHAR) AS child_key,
    nullif(trim(CAST(la_child_id AS VARCHAR)), '') AS la_child_id,
    nullif(trim(upn), '') AS upn,
    nullif(trim(former_upn), '') AS former_upn,
    nullif(trim(upn_unknown), '') AS upn_unknown,
    person_birth_date,
    expected_person_birth_date,
    nullif(trim(sex), '') AS sex,
    person_death_date,
    nullif(trim(ethnicity), '') AS ethnicity
FROM {schema}.cin_children;

CREATE OR REPLACE TEMP TABLE disability AS
SELECT CAST(child_key AS VARCHAR) AS child_key, trim(disability) AS disability
FROM {schema}.cin_disabilities
WHERE nullif(trim(disability), '') IS NOT NULL;

CREATE OR REPLACE TEMP TABLE episode AS
SELECT
    CAST(d.child_key AS VARCHAR) AS child_key,
    CAST(d.cin_key AS VARCHAR) AS cin_key,
    d.cin_referral_date,
    nullif(trim(d.referral_source), '') AS referral_source,
    nullif(trim(d.primary_need_code), '') AS primary_need_code,
    d.cin_closure_date,
    nullif(trim(d.reason_for_closure), '') AS reason_for_closure,
    d.date_of_initial_cpc,
    nullif(trim(CAST(d.referral_nfa AS VARCHAR)), '') AS referral_nfa,
    -- Both writings of a boolean count: 1 and true, 0 and false.
    coalesce(CAST(d.referral_nfa AS VARCHAR) IN ('1', 'true'), FALSE) AS is_nfa,
    coalesce(CAST(d.referral_nfa AS VARCHAR) IN ('0', 'false'), FALSE) AS is_past_referral,
    c.person_birth_date,
    c.expected_person_birth_date,
    c.person_death_date
FROM {schema}.cin_details AS d
LEFT JOIN child AS c ON c.child_key = CAST(d.child_key AS VARCHAR);

CREATE OR REPLACE TEMP TABLE assessment AS
SELECT
    CAST(a.child_key AS VARCHAR) AS child_key,
    CAST(a.cin_key AS VARCHAR) AS cin_key,
    CAST(a.assessment_key AS VARCHAR) AS assessment_key,
    a.assessment_actual_start_date,
    a.assessment_authorisation_date,
    e.cin_referral_date,
    e.cin_closure_date,
    e.reason_for_closure,
    coalesce(e.is_nfa, FALSE) AS is_nfa
FROM {schema}.cin_assessments AS a
LEFT JOIN episode AS e
    ON e.child_key = CAST(a.child_key AS VARCHAR) AND e.cin_key = CAST(a.cin_key AS VARCHAR);

CREATE OR REPLACE TEMP TABLE factor AS
SELECT
    CAST(child_key AS VARCHAR) AS child_key,
    CAST(cin_key AS VARCHAR) AS cin_key,
    CAST(assessment_key AS VARCHAR) AS assessment_key,
    trim(assessment_factor) AS assessment_factor
FROM {schema}.cin_assessment_factors
WHERE nullif(trim(assessment_factor), '') IS NOT NULL;

CREATE OR REPLACE TEMP TABLE cin_plan AS
SELECT
    CAST(p.child_key AS VARCHAR) AS child_key,
    CAST(p.cin_key AS VARCHAR) AS cin_key,
    CAST(p.plan_key AS VARCHAR) AS plan_key,
    p.cin_plan_start_date,
    p.cin_plan_end_date,
    -- An open plan runs to the reference date.
    coalesce(p.cin_plan_end_date, reference_date()) AS runs_to,
    e.cin_referral_date,
    e.cin_closure_date,
    e.person_death_date,
    coalesce(e.is_nfa, FALSE) AS is_nfa
FROM {schema}.cin_plan_dates AS p
LEFT JOIN episode AS e
    ON e.child_key = CAST(p.child_key AS VARCHAR) AND e.cin_key = CAST(p.cin_key AS VARCHAR);

CREATE OR REPLACE TEMP TABLE s47 AS
SELECT
    CAST(s.child_key AS VARCHAR) AS child_key,
    CAST(s.cin_key AS VARCHAR) AS cin_key,
    CAST(s.s47_key AS VARCHAR) AS s47_key,
    s.s47_actual_start_date,
    s.initial_cpc_target,
    s.date_of_initial_cpc,
    nullif(trim(CAST(s.icpc_not_required AS VARCHAR)), '') AS icpc_not_required,
    coalesce(CAST(s.icpc_not_required AS VARCHAR) IN ('1', 'true'), FALSE) AS needs_no_conference,
    e.cin_referral_date,
    e.cin_closure_date,
    coalesce(e.is_nfa, FALSE) AS is_nfa
FROM {schema}.cin_section47 AS s
LEFT JOIN episode AS e
    ON e.child_key = CAST(s.child_key AS VARCHAR) AND e.cin_key = CAST(s.cin_key AS VARCHAR);

CREATE OR REPLACE TEMP TABLE cpp AS
SELECT
    CAST(p.child_key AS VARCHAR) AS child_key,
    CAST(p.cin_key AS VARCHAR) AS cin_key,
    CAST(p.cpp_key AS VARCHAR) AS cpp_key,
    p.cpp_start_date,
    p.cpp_end_date,
    coalesce(p.cpp_end_date, reference_date()) AS runs_to,
    nullif(trim(p.initial_category_of_abuse), '') AS initial_category_of_abuse,
    nullif(trim(p.latest_category_of_abuse), '') AS latest_category_of_abuse,
    nullif(trim(CAST(p.number_of_previous_cpp AS VARCHAR)), '') AS number_of_previous_cpp,
    e.cin_referral_date,
    e.cin_closure_date,
    e.date_of_initial_cpc,
    e.person_death_date,
    coalesce(e.is_nfa, FALSE) AS is_nfa
FROM {schema}.cin_protection_plans AS p
LEFT JOIN episode AS e
    ON e.child_key = CAST(p.child_key AS VARCHAR) AND e.cin_key = CAST(p.cin_key AS VARCHAR);

CREATE OR REPLACE TEMP TABLE review AS
SELECT
    CAST(r.child_key AS VARCHAR) AS child_key,
    CAST(r.cin_key AS VARCHAR) AS cin_key,
    CAST(r.cpp_key AS VARCHAR) AS cpp_key,
    r.cpp_review_date,
    p.cpp_start_date,
    p.cpp_end_date
FROM {schema}.cin_reviews AS r
LEFT JOIN cpp AS p
    ON
        p.child_key = CAST(r.child_key AS VARCHAR)
        AND p.cin_key = CAST(r.cin_key AS VARCHAR)
        AND p.cpp_key = CAST(r.cpp_key AS VARCHAR);
