-- The one door through which a fact reaches a person: everything downstream joins on record_key here, and records of a
-- feed without a live agreement are not let through, so that a withdrawal removes every value that hung on that feed.
-- Nor are those of a child about whom it was decided that sharing what the feed tells is more detrimental to the child.
with records as (
    select * from {{ ref('stg_identity__person_records') }}
),

membership as (
    select * from {{ ref('stg_identity__membership') }}
),

shared_feeds as (
    select
        feed,
        service,
        precedence,
        is_for_returns
    from {{ ref('int_feeds__states') }}
    where is_shared
),

linked as (
    select
        membership.child_id,
        membership.linked_since,
        coalesce(membership.link_confidence, 1) as link_confidence,
        coalesce(membership.link_confidence, 1) >= {{ var('min_link_confidence') }} as is_confident,
        shared_feeds.service,
        shared_feeds.is_for_returns,
        records.*,
        -- A total order: same winners whatever the order of rows. A merged record comes after those that stand.
        row_number() over (
            partition by membership.child_id
            order by
                shared_feeds.precedence asc nulls last,
                records.replaced_by is not null asc,
                records.valid_from desc nulls last,
                records.record_key asc
        ) as survivorship_order
    from records
    inner join membership using (record_key)
    inner join shared_feeds using (feed)
    anti join {{ ref('stg_identity__withheld_feeds') }} as withheld
        on membership.child_id = withheld.child_id and records.feed = withheld.feed
)

select * from linked
