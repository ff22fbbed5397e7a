-- One row per person who is or was in prison: the last stay, told once. Where prison and probation both tell of it the
-- prison's word stands, which knows the day of the door; probation tells of people whom no prison of ours held.
with from_prison as (
    select
        records.child_id as adult_id,
        records.feed as source,
        stays.admitted_date as since,
        stays.expected_release_date,
        stays.release_date,
        stays.is_held,
        stays.since_origin as origin
    from {{ ref('int_custody__stays') }} as stays
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where records.is_confident
),

from_probation as (
    select
        records.child_id as adult_id,
        records.feed as source,
        sentences.sentence_date as since,
        sentences.expected_release_date,
        {{ known_by('sentences.release_date', as_at()) }} as release_date,
        sentences.release_date is null or sentences.release_date > {{ as_at() }} as is_held,
        {{ origin('sentences', 'sentences') }} as origin
    from {{ ref('stg_probation__sentences') }} as sentences
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    where
        sentences.is_custodial
        and sentences.is_active
        and sentences.sentence_date <= {{ as_at() }}
        and records.is_confident
),

from_probation_alone as (
    select from_probation.* from from_probation
    anti join from_prison
        on
            from_probation.adult_id = from_prison.adult_id
            and from_prison.since <= coalesce(from_probation.release_date, {{ as_at() }})
            and (from_prison.is_held or coalesce(from_prison.release_date, from_prison.since) >= from_probation.since)
),

told as (
    select * from from_prison
    union all
    select * from from_probation_alone
),

last_told as (
    select told.* from told
    anti join {{ ref('int_custody__withheld') }} using (adult_id)
    qualify row_number() over (
        partition by told.adult_id
        order by
            told.is_held desc, told.since desc, told.release_date desc nulls last, told.source asc,
            told.expected_release_date asc nulls last, told.origin asc
    ) = 1
)

select * from last_told
