-- Detects: a feed that delivers, or has an agreement, without a row in the seed of feeds.
-- A failure means: its records would reach nobody's view, and nothing would say so.
-- Returns: the feed.
select states.feed
from {{ source('meta', 'feed_state') }} as states
left join {{ ref('feeds') }} as services using (feed)
where services.feed is null
