with source as (
    select * from {{ source('probation', 'sentences') }}
),

renamed as (
    select
        record_key,
        supervision_number,
        is_active,
        sentence_date,
        is_custodial,
        expected_release_date,
        released_on as release_date,
        _delivery_id as delivery_id,
        _line as line
    from source
)

select * from renamed
