with stated as (
    {{ stated_ethnicities() }}
),

survivors as (
    -- "Refused" and "not yet obtained" yield to any stated ethnicity.
    select
        records.child_id,
        arg_min(
            struct_pack(
                code := stated.ethnicity_code,
                record_key := records.record_key,
                feed := records.feed,
                as_of := records.valid_from
            ),
            records.survivorship_order
            + case when stated.ethnicity_code in ('REFU', 'NOBT') then 1000000 else 0 end
        ) as survivor
    from stated
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where stated.ethnicity_code is not null
    group by records.child_id
),

ethnicity as (
    select
        child_id,
        survivor.code as ethnicity_code,
        survivor.feed as ethnicity_source,
        survivor.as_of as ethnicity_as_of,
        survivor.record_key as ethnicity_record_key
    from survivors
)

select * from ethnicity
