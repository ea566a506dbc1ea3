-- Everything that was ever for one number, the newest first. No index holds the numbers of all campaigns, so the unique index
-- (campaign, phone) is asked once for each campaign; what is of no campaign has an index of its own.
SELECT m.id, m.phone, m.name, m.origin, m.campaign_id, c.title AS campaign_title, c.status AS campaign_status, m.status, m.error_code,
       m.error_reason, m.device_id, d.name AS device_name, m.attempt AS attempts, m.due_at, m.created_at, m.sent_at,
       m.delivered_at, m.read_at, m.unknown_at, m.failed_at, m.cancelled_at, m.suppressed_at
FROM (
  SELECT of_campaign.* FROM campaigns c
  CROSS JOIN LATERAL (SELECT * FROM messages WHERE campaign_id = c.id AND phone = :phone) of_campaign
  WHERE c.workspace_id = :workspace_id
  UNION ALL
  SELECT * FROM messages WHERE workspace_id = :workspace_id AND phone = :phone AND origin <> 'campaign'
) m
LEFT JOIN campaigns c ON c.id = m.campaign_id
LEFT JOIN devices d ON d.id = m.device_id
ORDER BY m.id DESC
LIMIT :limit
