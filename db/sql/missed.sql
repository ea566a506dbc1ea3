-- The first people of a campaign who did not get it, or of whom nobody knows.
SELECT m.phone, m.error_code, m.error_reason, NOT has_unproven_attempt(m.id) AS retryable
FROM (
  (SELECT * FROM messages WHERE campaign_id = :campaign_id AND status = 'failed' ORDER BY id LIMIT :limit)
  UNION ALL
  (SELECT * FROM messages WHERE campaign_id = :campaign_id AND status = 'unknown' ORDER BY id LIMIT :limit)
) m
ORDER BY m.id
LIMIT :limit
