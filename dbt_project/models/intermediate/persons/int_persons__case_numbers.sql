-- The number by which the council's returns know a person: one number for CIN census and TEHADC alike. Of several
-- records of one person in the case system the oldest number stands (shortest, then smallest), because it is the one
-- that earlier returns carried.
with records as (
    select * from {{ ref('int_persons__records') }}
    -- another agency's feed may speak for the service too; its numbers are not the council's
    where service in ('social_care', 'early_help') and is_for_returns
),

numbered as (
    select
        child_id,
        service,
        record_key,
        case when service = 'early_help' then 'EH' else '' end
        || regexp_replace(source_person_id, '[^A-Za-z0-9]', '', 'g') as la_child_id
    from records
),

first_numbers as (
    select
        child_id,
        la_child_id,
        record_key as la_child_record_key
    from numbered
    qualify row_number() over (
        partition by child_id
        order by service = 'early_help', length(la_child_id), la_child_id, record_key
    ) = 1
)

select * from first_numbers
