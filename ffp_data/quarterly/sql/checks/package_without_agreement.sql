-- Each package that was distributed has a day of agreement, not after it.
SELECT child_id, counted, on_date, why_not AS said FROM lines
WHERE item = 'FN-2.4' AND basis = 'in_quarter' AND why_not IS NOT NULL
