-- Whom the single view is about: under 18, unborn, or older with an open case.
with survivors as (
    select * from {{ ref('int_persons__survivors') }}
),

kinds as (
    select * from {{ ref('stg_identity__children') }}
),

open_work as (
    select
        child_id,
        list_sort(array_agg(level)) as is_open_to
    from {{ ref('int_persons__open_work') }}
    group by child_id
),

aged as (
    select
        survivors.*,
        kinds.kind,
        coalesce(open_work.is_open_to, []) as is_open_to,
        survivors.date_of_birth is null and survivors.expected_birth_date is not null as is_unborn,
        date_sub('year', survivors.date_of_birth, {{ as_at() }}) as age_years
    from survivors
    left join kinds using (child_id)
    left join open_work using (child_id)
),

children as (
    select * from aged
    where
        age_years < 18
        or is_unborn
        or len(is_open_to) > 0
        or (age_years is null and (kind in ('child', 'unborn') or is_child_in_any_feed))
)

select * from children
