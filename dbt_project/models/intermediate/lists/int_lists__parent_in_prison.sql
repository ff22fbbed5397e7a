-- What the flags say of parents, and beside it the children of adults to whom a prison record is tied by a weak link
-- alone: these are counted and not listed. Never why somebody is held.
with sure as (
    select
        child_id,
        since,
        facts,
        string_split(source, ', ') as feeds,
        true as is_confident
    from {{ ref('int_flags__parents') }}
),

weak as (
    select
        members.child_id,
        stays.admitted_date as since,
        'a parent may be in custody' as facts,
        [records.feed] as feeds,
        false as is_confident
    from {{ ref('int_custody__stays') }} as stays
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    inner join {{ ref('int_families__members') }} as members on records.child_id = members.related_child_id
    anti join {{ ref('int_custody__withheld') }} as withheld on records.child_id = withheld.adult_id
    where
        not records.is_confident
        and (stays.is_held or stays.release_date >= {{ as_at() }} - {{ var('release_window_days') }})
        and regexp_matches(members.relationship, 'mother|father|parent|carer|guardian')
        and not contains(members.relationship, 'grand')
),

told as (
    select * from sure
    union all
    select * from weak
),

entries as (
    select
        'parent_in_prison' as list_id,
        told.*
    from told
)

select * from entries
