-- The time of the oldest fact that is not published yet; among many, of the first ones.
SELECT min(at) FROM (SELECT at FROM outbox_pending ORDER BY seq LIMIT 10000) AS first
