-- Each dated event that is counted by stage, with the stage as recorded. The stage of the evidence is added by `stages`.
SELECT 'offer' AS kind, child_id, fgdm_id AS event_id, offered_date AS on_date, stage_code AS recorded, recorded_date, record_key
FROM quarterly.group_decisions WHERE offered_date IS NOT NULL
UNION ALL
SELECT 'meeting', child_id, fgdm_id, meeting_date, stage_code, recorded_date, record_key
FROM quarterly.group_decisions WHERE meeting_date IS NOT NULL
UNION ALL
SELECT 'plan', child_id, fgdm_id, coalesce(plan_agreed_date, meeting_date), stage_code, recorded_date, record_key
FROM quarterly.group_decisions
WHERE (is_plan_agreed OR plan_agreed_date IS NOT NULL) AND coalesce(plan_agreed_date, meeting_date) IS NOT NULL
UNION ALL
SELECT 'package', child_id, fnsp_id, distributed_date, stage_code, recorded_date, record_key
FROM quarterly.packages WHERE distributed_date IS NOT NULL
