with stated as (
    select
        record_key,
        disability_code
    from {{ ref('stg_case_system__disabilities') }}
    union all
    select
        record_key,
        trim(unnest(regexp_split_to_array(disabilities, '[|;,]')))
    from {{ ref('stg_early_help__persons') }}
    where disabilities is not null
),

codes as (
    select distinct
        records.child_id,
        stated.record_key,
        upper(stated.disability_code) as disability_code
    from stated
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where stated.disability_code != ''
),

counted as (
    select
        *,
        count(*) over (partition by record_key) as codes_of_record,
        count(distinct disability_code) over (partition by child_id) as codes_of_child
    from codes
),

disabilities as (
    -- "None" on one record yields to a disability on another. On one and the same record it contradicts itself: that
    -- is left for the validator to report and a worker to mend (rule 8790).
    select distinct
        child_id,
        disability_code
    from counted
    where disability_code != 'NONE' or codes_of_child = 1 or codes_of_record > 1
)

select * from disabilities
