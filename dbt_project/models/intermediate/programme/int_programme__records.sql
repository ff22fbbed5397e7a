-- Records, and how sure it is whose they are. Ethnicity is what the record's own feed says: what came to a record
-- through its link would make every unlinked one look unknown.
with records as (
    select * from {{ ref('int_persons__records') }}
),

stated as (
    select
        stated.record_key,
        -- "Refused" and "not yet obtained" say nothing.
        min(grouped.ethnicity_group) filter (where grouped.ethnicity_group != 'not known') as ethnicity_group
    from ({{ stated_ethnicities() }}) as stated
    inner join {{ ref('ethnicity_groups') }} as grouped using (ethnicity_code)
    group by stated.record_key
),

companions as (
    select
        child_id,
        count(*) as record_count
    from records
    group by child_id
),

told as (
    select
        records.record_key,
        records.child_id,
        records.feed,
        coalesce(stated.ethnicity_group, 'not known') as ethnicity,
        companions.record_count > 1 as is_linked,
        companions.record_count > 1 and not records.is_confident as is_weakly_linked,
        parted.record_key is not null as is_parted
    from records
    inner join companions using (child_id)
    left join stated using (record_key)
    left join {{ ref('stg_identity__parted_records') }} as parted using (record_key)
)

select * from told
