with states as (
    select
        list_id,
        feed,
        label,
        part,
        state,
        since,
        last_delivered_at,
        state_in_words
    from {{ ref('int_lists__states') }}
)

select * from states
