-- A contact entered on two records of one child is one; two of one day on one record are two.
with contacts as (
    select
        records.child_id,
        contacts.contact_date,
        contacts.source_code as contact_source,
        row_number() over (
            partition by contacts.record_key, contacts.contact_date, contacts.source_code order by contacts.contact_id
        ) as number_on_record
    from staging.stg_case_system__contacts as contacts
    inner join inspected_records as records using (record_key)
    where contacts.contact_date between $since and $on
),

once as (select distinct * from contacts)

select
    people.*,
    once.contact_date,
    once.contact_source
from once
inner join inspected_people as people using (child_id)
