with records as (
    select * from {{ ref('int_programme__records') }}
),

population as (
    select * from {{ ref('population') }}
),

linked_records as (
    select
        records.record_key,
        records.child_id,
        records.feed,
        population.age,
        records.ethnicity,
        records.is_linked,
        records.is_weakly_linked,
        records.is_parted
    from records
    inner join population using (child_id)
)

select * from linked_records
