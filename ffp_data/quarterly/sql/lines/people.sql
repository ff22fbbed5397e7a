-- FH-2.1, FH-2.2, FN-1.1 and CP-2.1: who stands on the register on the last day; and who holds cases of Family Help then.
WITH register AS (
    SELECT * FROM quarterly.practitioners
    WHERE coalesce(from_date <= $last, true) AND (to_date IS NULL OR to_date > $last)
)
SELECT 'FH-2.1' AS item, 'snapshot' AS basis,
    concat(
        if(employer_code = 'local_authority', 'council', 'other employer'), ', ',
        if(is_social_work_qualified, 'social work qualified', 'otherwise qualified')
    ) AS part,
    worker_id AS counted, NULL::VARCHAR AS child_id, from_date AS on_date, job_title AS detail, NULL::DOUBLE AS value,
    NULL::VARCHAR AS why_not, NULL::VARCHAR AS record_key
FROM register WHERE role_code = 'family_help_lead'
UNION ALL
SELECT 'FH-2.1', 'holds cases', if(r.worker_id IS NULL, 'not on the register', 'on the register'), w.worker_id, w.child_id,
    w.start_date, NULL, NULL, NULL, w.record_key
FROM quarterly.lead_workers AS w
LEFT JOIN (SELECT worker_id FROM register WHERE role_code = 'family_help_lead') AS r USING (worker_id)
WHERE w.start_date <= $last AND (w.end_date IS NULL OR w.end_date > $last)
UNION ALL
SELECT 'FH-2.2', 'snapshot', specialism, worker_id, NULL, from_date, job_title, NULL, NULL, NULL
FROM register WHERE role_code = 'family_help_lead' AND employer_code = 'local_authority' AND specialism IS NOT NULL
UNION ALL
SELECT 'FN-1.1', 'snapshot', if(employer_code = 'local_authority', 'council', 'other employer'), worker_id, NULL, from_date, job_title,
    NULL, NULL, NULL
FROM register WHERE is_fgdm_facilitator
UNION ALL
SELECT 'CP-2.1', 'snapshot', concat_ws(', ', replace(role_code, '_', ' '), grade, job_title), worker_id, NULL, from_date, NULL, NULL,
    NULL, NULL
FROM register WHERE is_in_macpt
