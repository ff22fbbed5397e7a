-- The case system's drop read straight into the tables of the CIN census, one child for each case number: no linkage, no
-- marts, so that what the rules find here is what the drop itself says. {year_start} and {as_at} are dates.
CREATE TABLE episodes AS
SELECT * FROM ssd_cin_episodes
WHERE CASE WHEN cine_referral_nfa = '1' THEN cine_referral_date >= '{year_start}'
           ELSE coalesce(cine_close_date, '9999') >= '{year_start}' END;

CREATE TABLE returns.cin_children AS
SELECT pers_person_id AS child_key, pers_person_id AS la_child_id, pers_upn AS upn, NULL::VARCHAR AS former_upn,
       pers_upn_unknown AS upn_unknown, pers_dob::DATE AS person_birth_date, pers_expected_dob::DATE AS expected_person_birth_date,
       pers_sex AS sex, NULL::DATE AS person_death_date, pers_ethnicity AS ethnicity
FROM ssd_person WHERE pers_person_id IN (SELECT cine_person_id FROM episodes);

CREATE TABLE returns.cin_disabilities AS
SELECT disa_person_id AS child_key, disa_disability_code AS disability FROM ssd_disability
WHERE disa_person_id IN (SELECT child_key FROM returns.cin_children);

CREATE TABLE returns.cin_details AS
SELECT cine_person_id AS child_key, cine_referral_id AS cin_key, cine_referral_date::DATE AS cin_referral_date,
       cine_referral_source_code AS referral_source, cine_cin_primary_need_code AS primary_need_code, cine_close_date::DATE AS cin_closure_date,
       cine_close_reason AS reason_for_closure, alone.icpc_icpc_date::DATE AS date_of_initial_cpc, cine_referral_nfa AS referral_nfa
FROM episodes LEFT JOIN (SELECT * FROM ssd_initial_cp_conference WHERE icpc_s47_enquiry_id IS NULL AND icpc_icpc_date >= '{year_start}') AS alone
  ON alone.icpc_referral_id = cine_referral_id;

CREATE TABLE returns.cin_assessments AS
SELECT cina_person_id AS child_key, cina_referral_id AS cin_key, cina_assessment_id AS assessment_key,
       cina_assessment_start_date::DATE AS assessment_actual_start_date, NULL::DATE AS assessment_internal_review_date,
       cina_assessment_auth_date::DATE AS assessment_authorisation_date
FROM ssd_cin_assessments WHERE cina_referral_id IN (SELECT cin_key FROM returns.cin_details)
  AND coalesce(cina_assessment_auth_date, '9999') >= '{year_start}';

CREATE TABLE returns.cin_assessment_factors AS
SELECT child_key, cin_key, assessment_key,
       unnest(CASE json_type(factors) WHEN 'ARRAY' THEN from_json(factors, '["VARCHAR"]') ELSE json_keys(factors) END) AS assessment_factor
FROM (SELECT cinf_assessment_id AS assessment_key, cinf_assessment_factors_json::JSON AS factors FROM ssd_assessment_factors)
JOIN returns.cin_assessments USING (assessment_key);

CREATE TABLE returns.cin_plan_dates AS
SELECT cinp_person_id AS child_key, cinp_referral_id AS cin_key, cinp_cin_plan_id AS plan_key,
       cinp_cin_plan_start_date::DATE AS cin_plan_start_date, cinp_cin_plan_end_date::DATE AS cin_plan_end_date
FROM ssd_cin_plans WHERE cinp_referral_id IN (SELECT cin_key FROM returns.cin_details)
  AND coalesce(cinp_cin_plan_end_date, '9999') >= '{year_start}';

CREATE TABLE returns.cin_section47 AS
SELECT s47e_person_id AS child_key, s47e_referral_id AS cin_key, s47e_s47_enquiry_id AS s47_key, s47e_s47_start_date::DATE AS s47_actual_start_date,
       icpc_icpc_target_date::DATE AS initial_cpc_target, icpc_icpc_date::DATE AS date_of_initial_cpc, s47e_s47_nfa AS icpc_not_required
FROM ssd_s47_enquiry LEFT JOIN ssd_initial_cp_conference ON icpc_s47_enquiry_id = s47e_s47_enquiry_id
WHERE s47e_referral_id IN (SELECT cin_key FROM returns.cin_details)
  AND coalesce(icpc_icpc_date, s47e_s47_end_date, '9999') >= '{year_start}';

CREATE TABLE returns.cin_protection_plans AS
SELECT cppl_person_id AS child_key, cppl_referral_id AS cin_key, cppl_cp_plan_id AS cpp_key, cppl_cp_plan_start_date::DATE AS cpp_start_date,
       cppl_cp_plan_end_date::DATE AS cpp_end_date, cppl_cp_plan_initial_category AS initial_category_of_abuse,
       cppl_cp_plan_latest_category AS latest_category_of_abuse, '0' AS number_of_previous_cpp
FROM ssd_cp_plans WHERE cppl_referral_id IN (SELECT cin_key FROM returns.cin_details)
  AND coalesce(cppl_cp_plan_end_date, '9999') >= '{year_start}';

CREATE TABLE returns.cin_reviews AS
SELECT cppr_person_id AS child_key, cin_key, cpp_key, cppr_cp_review_date::DATE AS cpp_review_date
FROM ssd_cp_reviews JOIN returns.cin_protection_plans ON cpp_key = cppr_cp_plan_id;
