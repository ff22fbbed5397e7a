-- Spells as an unaccompanied asylum-seeking child.
select
    records.child_id,
    statuses.start_date,
    statuses.end_date
from staging.stg_case_system__immigration_statuses as statuses
inner join inspected_records as records using (record_key)
where
    coalesce(statuses.start_date <= $on, true)
    and list_contains($unaccompanied_words, upper(trim(statuses.immigration_status)))
