-- Probation marks records that few of its own staff may read (restriction) or that some may not (exclusion). The mark
-- is of the person: what the prison says of the same person is withheld with it.
with withheld as (
    select distinct records.child_id as adult_id
    from {{ ref('int_persons__records') }} as records
    left join {{ ref('stg_probation__persons') }} as persons using (record_key)
    where coalesce(persons.is_excluded, false) or (records.service = 'probation' and records.is_restricted)
)

select * from withheld
