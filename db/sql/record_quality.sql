-- What Meta says of its numbers, written where it differs: each look tells all of it again.
UPDATE cloud_numbers c SET quality = now.quality, messaging_limit = now.messaging_limit
FROM (
  SELECT n.device_id, coalesce(t.quality, n.quality) AS quality, coalesce(t.messaging_limit, n.messaging_limit) AS messaging_limit
  FROM unnest(CAST(:sessions AS text[]), CAST(:qualities AS text[]), CAST(:limits AS text[]))
    AS t (session, quality, messaging_limit)
  JOIN devices d ON d.bridge_address = :address AND d.session = t.session
  JOIN cloud_numbers n ON n.device_id = d.id
) now
WHERE c.device_id = now.device_id
  AND (c.quality, c.messaging_limit) IS DISTINCT FROM (now.quality, now.messaging_limit)
