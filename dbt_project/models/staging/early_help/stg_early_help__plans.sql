with source as (
    select * from {{ source('early_help', 'plans') }}
),

renamed as (
    select
        record_key,
        plan_id,
        teh_episode_id,
        start_date,
        review_due_date,
        end_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
