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
        upper(stated.disability_code) as disability_code
    from stated
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where stated.disability_code != ''
),

disabilities as (
    -- "None" on one record yields to a disability on another (rule 8790).
    select
        child_id,
        disability_code
    from codes
    qualify disability_code != 'NONE' or count(*) over (partition by child_id) = 1
)

select * from disabilities
