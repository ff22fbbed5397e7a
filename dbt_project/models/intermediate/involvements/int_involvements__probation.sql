-- Through the adults of the family. Of a limited-access record only its existence as "not shared" goes further.
with told as (
    select
        *,
        {{ origin('sentences', 'sentences') }} as origin
    from {{ ref('stg_probation__sentences') }} as sentences
),

sentences as (
    select
        record_key,
        min(sentence_date) as since,
        max(coalesce(release_date, sentence_date)) as last_date,
        arg_min(origin, [sentence_date::varchar, delivery_id, line::varchar]) as since_origin,
        arg_max(origin, [coalesce(release_date, sentence_date)::varchar, delivery_id, line::varchar]) as until_origin,
        bool_or(coalesce(is_active, false)) as is_active
    from told
    where sentence_date <= {{ as_at() }}
    group by record_key
),

supervisions as (
    select
        records.child_id as adult_id,
        records.record_key,
        coalesce(records.is_restricted, false) or coalesce(persons.is_excluded, false) as is_withheld,
        persons.manager_name,
        persons.manager_phone,
        persons.manager_team,
        sentences.since,
        sentences.last_date,
        coalesce(sentences.is_active, false) or coalesce(persons.is_supervised, false) as is_active,
        persons.delivery_id,
        persons.line,
        sentences.since_origin,
        sentences.until_origin
    from {{ ref('stg_probation__persons') }} as persons
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join sentences using (record_key)
),

spells as (
    select
        adults.child_id,
        supervisions.since,
        case when not supervisions.is_active then supervisions.last_date end as until,
        supervisions.manager_name as contact_name,
        supervisions.manager_phone as contact_phone,
        supervisions.manager_team as team,
        supervisions.record_key,
        supervisions.is_withheld,
        supervisions.delivery_id,
        supervisions.line,
        {{ origin('persons', 'supervisions') }} as origin,
        supervisions.since_origin,
        supervisions.until_origin
    from supervisions
    inner join {{ ref('int_families__adults') }} as adults using (adult_id)
)

select * from spells
