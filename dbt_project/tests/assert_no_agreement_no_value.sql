-- Detects: a value in the single view from a feed whose agreement is not in force.
-- A failure means: a withdrawal was not carried out.
-- Returns: the table and the feed.
with shut as (
    select feed as source from {{ ref('int_feeds__states') }}
    where not is_shared
),

shown as (
    select
        'chronology' as table_name,
        source
    from {{ ref('chronology') }}
    union all
    select
        'involvements',
        source
    from {{ ref('involvements') }}
    where state != 'not_shared'
    union all
    select
        'attendance',
        source
    from {{ ref('attendance') }}
    union all
    select
        'children',
        unnest([name_source, date_of_birth_source, nhs_number_source, upn_source, address_source])
    from {{ ref('children') }}
)

select distinct
    shown.table_name,
    shown.source
from shown
inner join shut using (source)
