with source as (
    select * from {{ source('meta', 'feed_state') }}
),

renamed as (
    select
        feed,
        agency,
        service,
        service_label,
        precedence,
        is_for_returns,
        is_through_family,
        first_age,
        last_age,
        agreement,
        agreement_state,
        agreement_state = 'in_force' as is_shared,
        covered as is_covered,
        is_late,
        promise_late_after_hours as late_after_hours,
        last_delivered_at
    from source
)

select * from renamed
