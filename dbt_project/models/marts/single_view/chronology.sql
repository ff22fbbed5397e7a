with events as (
    select * from {{ ref('int_chronology__events') }}
),

chronology as (
    select
        child_id,
        event_date,
        event_type,
        -- A school's number locates a restricted child, and so may any value that no code list bounds.
        case
            when not is_restricted then summary
            else coalesce(guarded_summary, regexp_replace(summary, ' \(URN [^)]*\)', ''))
        end as summary,
        is_confident,
        source,
        record_key,
        delivery_id,
        line
    from events
)

select * from chronology
