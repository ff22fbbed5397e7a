with events as (
    select * from {{ ref('int_chronology__events') }}
),

chronology as (
    select
        child_id,
        event_date,
        event_type,
        -- A school's number locates a restricted child.
        case when is_restricted then regexp_replace(summary, ' \(URN [^)]*\)', '') else summary end as summary,
        is_confident,
        source,
        record_key,
        delivery_id,
        line
    from events
)

select * from chronology
