-- A page of a campaign's messages in the order of their ids. Each state is read from its own stretch of the index
-- (campaign, status, id), so that a page costs the same wherever it lies and however many other campaigns there are.
SELECT m.id, m.phone, m.name, m.status, m.error_code, m.error_reason, m.device_id, m.attempt AS attempts, m.due_at,
       m.created_at, m.sent_at, m.delivered_at, m.read_at, m.unknown_at, m.failed_at, m.cancelled_at, m.suppressed_at
FROM unnest(CAST(:statuses AS text[])) AS wanted (status)
CROSS JOIN LATERAL (
  SELECT * FROM messages
  WHERE campaign_id = :campaign_id AND messages.status = wanted.status AND id > :after
  ORDER BY id LIMIT :limit
) m
ORDER BY m.id
LIMIT :limit
