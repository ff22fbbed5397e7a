-- Legal statuses known on the date.
select distinct
    records.child_id,
    statuses.legal_status_code,
    statuses.start_date,
    case when statuses.end_date <= $on then statuses.end_date end as end_date
from staging.stg_case_system__legal_statuses as statuses
inner join inspected_records as records using (record_key)
where statuses.start_date <= $on
