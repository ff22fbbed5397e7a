-- Events of a number that was merged away are told of the number that remained.
with events as (
    select * from {{ source('prison', 'events') }}
),

merged_numbers as (
    select
        removed_number,
        arg_max(record_key, [occurred_at::varchar, event_id]) as record_key
    from events
    where removed_number is not null
    group by removed_number
),

renamed as (
    select
        coalesce(merged_numbers.record_key, events.record_key) as record_key,
        events.event_type,
        events.reason,
        events.occurred_at::date as movement_date,
        events._delivery_id as delivery_id,
        events._line as line
    from events
    left join merged_numbers on events.prison_number = merged_numbers.removed_number
    where events.reason is not null
)

select * from renamed
