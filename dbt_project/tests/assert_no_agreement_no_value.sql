-- Detects: a value in the single view from a feed whose agreement is not in force.
-- A failure means: a withdrawal was not carried out.
-- Returns: the table and the feed.
with shut as (
    select feed from {{ ref('int_feeds__states') }}
    where not is_shared
)

select 'chronology' as table_name, source
from {{ ref('chronology') }}
where source in (select feed from shut)
union all
select 'involvements', source
from {{ ref('involvements') }}
where source in (select feed from shut) and state != 'not_shared'
union all
select 'attendance', source
from {{ ref('attendance') }}
where source in (select feed from shut)
union all
select 'children', surname_source.source
from (select unnest([name_source, date_of_birth_source, nhs_number_source, upn_source, address_source]) as source
    from {{ ref('children') }}) as surname_source
where surname_source.source in (select feed from shut)
