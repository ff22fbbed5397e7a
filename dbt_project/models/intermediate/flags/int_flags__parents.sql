-- That a parent is in prison or came out of it; never why. Limited-access records do not reach a flag. A release that
-- was only expected has not happened.
with parents as (
    select distinct
        members.child_id,
        members.related_child_id as adult_id,
        members.relationship
    from {{ ref('int_families__members') }} as members
    inner join {{ ref('int_families__adults') }} as adults
        on members.child_id = adults.child_id and members.related_child_id = adults.adult_id
    where
        regexp_matches(members.relationship, 'mother|father|parent|carer|guardian')
        and not contains(members.relationship, 'grand')
),

prison as (
    select
        records.child_id as adult_id,
        sentences.sentence_date,
        sentences.expected_release_date,
        {{ known_by('sentences.release_date', as_at()) }} as release_date
    from {{ ref('stg_probation__sentences') }} as sentences
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    left join {{ ref('stg_probation__persons') }} as persons using (record_key)
    where
        sentences.is_custodial
        and sentences.is_active
        and sentences.sentence_date <= {{ as_at() }}
        and records.is_confident
        and not coalesce(records.is_restricted, false)
        and not coalesce(persons.is_excluded, false)
),

states as (
    select
        adult_id,
        case
            when release_date is null then 'parent_in_custody'
            when release_date >= {{ as_at() }} - {{ var('release_window_days') }} then 'parent_released'
        end as flag,
        coalesce(release_date, sentence_date) as since,
        release_date,
        expected_release_date
    from prison
),

worded as (
    select distinct
        parents.child_id,
        states.flag,
        states.since,
        parents.relationship || case states.flag
            when 'parent_in_custody'
                then
                    ' in custody' || case
                        when states.expected_release_date is null then ', no release date given'
                        when states.expected_release_date <= {{ as_at() }}
                            then ', release was due ' || states.expected_release_date || ', none recorded'
                        else ', release expected ' || states.expected_release_date
                    end
            else ' released ' || states.release_date
        end as fact
    from states
    inner join parents using (adult_id)
    where states.flag is not null
),

flags as (
    select
        child_id,
        flag,
        min(since) as since,
        case flag
            when 'parent_in_custody' then 'A parent or carer is in prison'
            else 'A parent or carer left prison in the last {{ var("release_window_days") }} days'
        end as rule_in_words,
        array_to_string(list_sort(array_agg(fact)), '; ') as facts,
        'probation' as source
    from worded
    group by child_id, flag
)

select * from flags
