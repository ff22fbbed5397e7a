-- Family network support packages that were agreed, not paid out by the day, and not ended.
with packages as (
    select
        records.child_id,
        records.feed,
        records.is_confident,
        packages.agreed_date,
        {{ known_by('packages.approved_date', as_at()) }} as approved_date,
        packages.purpose
    from {{ ref('stg_case_system__support_packages') }} as packages
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        packages.agreed_date <= {{ as_at() }}
        and coalesce(packages.distributed_date > {{ as_at() }}, true)
        and coalesce(packages.end_date > {{ as_at() }}, true)
),

entries as (
    select distinct
        'package_not_paid' as list_id,
        child_id,
        agreed_date as since,
        concat(
            'package agreed on ', agreed_date, ', purpose: ' || lower(purpose),
            coalesce(', approved on ' || approved_date, ', no approval recorded'),
            ', not paid ', {{ as_at() }} - agreed_date, ' days later'
        ) as facts,
        [feed] as feeds,
        is_confident
    from packages
)

select * from entries
