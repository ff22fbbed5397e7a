with source as (
    select * from {{ source('meta', 'feed_state') }}
),

renamed as (
    select
        feed,
        agency,
        agreement,
        agreement_state,
        agreement_state = 'in_force' as is_shared,
        covered as is_covered,
        is_late,
        last_delivered_at
    from source
)

select * from renamed
