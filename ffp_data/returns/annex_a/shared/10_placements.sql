-- Placements known on the date. Its episodes name them; the drop need not have the table.
select
    records.child_id,
    placements.placement_id,
    min(placements.start_date) as start_date,
    arg_max(upper(trim(placements.placement_type_code)), placements.start_date) as placement_type,
    arg_max(placements.postcode, placements.start_date) as postcode
from staging.stg_case_system__placements as placements
inner join inspected_records as records using (record_key)
where placements.start_date <= $on
group by records.child_id, placements.placement_id
