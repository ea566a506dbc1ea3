-- The messages in doubt about which nobody has decided, in the order of their ids. Nobody is asked about people on the
-- never-send list: to them nothing is sent again anyhow. Of what Meta has, its events settle nearly all: nobody is asked before
-- they have had their time.
SELECT m.id, m.phone, m.name, m.error_code, m.error_reason, m.device_id, d.name AS device_name, m.unknown_at
FROM messages m LEFT JOIN devices d ON d.id = m.device_id
WHERE m.campaign_id = :campaign_id AND m.status = 'unknown' AND m.doubt_left_by IS NULL
  AND (CAST(:as_of AS timestamptz) IS NULL OR m.unknown_at <= :as_of)
  AND has_unproven_attempt(m.id)
  AND NOT awaits_word(m.id, m.attempt)
  AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone)
ORDER BY m.id
LIMIT :limit
