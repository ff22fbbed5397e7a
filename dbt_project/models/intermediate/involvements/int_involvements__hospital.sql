-- A hospital sends contacts, not episodes: the last one inside the window counts as current, and is the line shown.
with contacts as (
    select
        *,
        {{ origin('contacts', 'contacts') }} as origin
    from {{ ref('stg_health_csv__contacts') }} as contacts
),

spells as (
    select
        records.child_id,
        min(contacts.contact_date) as since,
        case
            when max(contacts.contact_date) < {{ as_at() }} - {{ var('contact_window_days') }}
                then max(contacts.contact_date)
        end as until,
        null as contact_name,
        null as contact_phone,
        arg_max(contacts.team, [contacts.contact_date::varchar, contacts.contact_id]) as team,
        records.record_key,
        false as is_withheld,
        arg_max(contacts.delivery_id, [contacts.contact_date::varchar, contacts.contact_id]) as delivery_id,
        arg_max(contacts.line, [contacts.contact_date::varchar, contacts.contact_id]) as line,
        arg_max(contacts.origin, [contacts.contact_date::varchar, contacts.contact_id]) as origin,
        arg_min(contacts.origin, [contacts.contact_date::varchar, contacts.contact_id]) as since_origin
    from contacts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where contacts.contact_date <= {{ as_at() }}
    group by records.child_id, records.record_key
)

select * from spells
