-- One page of a campaign's messages, above the id :after or, next to it, below the id :before; the other one is null. Each
-- state is read from its own stretch of the index (campaign, status, id), so that a page costs the same wherever it lies and
-- however many other campaigns there are. "The same status" is said as a range: said as equal, the order is one by id alone,
-- and the planner may walk through all messages there are to find those few.
SELECT m.id, m.phone, m.name, m.status, m.error_code, m.error_reason, m.device_id, d.name AS device_name,
       m.attempt AS attempts, m.due_at, m.created_at, m.sent_at, m.delivered_at, m.read_at, m.unknown_at, m.failed_at,
       m.cancelled_at, m.suppressed_at
FROM (
  SELECT m.* FROM unnest(CAST(:statuses AS text[])) AS wanted (status)
  CROSS JOIN LATERAL (
    (SELECT * FROM messages
     WHERE campaign_id = :campaign_id AND CAST(:after AS bigint) IS NOT NULL
       AND (messages.status, id) > (wanted.status, :after) AND messages.status <= wanted.status
       AND (CAST(:code AS text) IS NULL OR error_code = :code)
       AND (CAST(:device_id AS bigint) IS NULL OR device_id = :device_id)
     ORDER BY messages.status, id LIMIT :limit)
    UNION ALL
    (SELECT * FROM messages
     WHERE campaign_id = :campaign_id AND CAST(:before AS bigint) IS NOT NULL
       AND (messages.status, id) < (wanted.status, :before) AND messages.status >= wanted.status
       AND (CAST(:code AS text) IS NULL OR error_code = :code)
       AND (CAST(:device_id AS bigint) IS NULL OR device_id = :device_id)
     ORDER BY messages.status DESC, id DESC LIMIT :limit)
  ) m
  ORDER BY CASE WHEN CAST(:before AS bigint) IS NULL THEN m.id ELSE -m.id END
  LIMIT :limit
) m
LEFT JOIN devices d ON d.id = m.device_id
ORDER BY m.id
