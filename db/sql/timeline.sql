-- What happened to a campaign, the newest first: what people did to it, to its messages, and to all sending while it was
-- under way, and what it did by itself. Decisions about single messages are looked up from the audit's side: people make few
-- of them, and a campaign has many messages.
WITH campaign AS (SELECT * FROM campaigns WHERE id = :campaign_id),
happened AS (
  SELECT a.at, a.who, a.action AS what, NULL::bigint AS message_id, NULL AS name, a.details
  FROM campaign c JOIN audit a ON a.subject = 'campaign:' || c.id
  UNION ALL
  SELECT a.at, a.who, a.action, NULL, NULL, a.details
  FROM campaign c
  JOIN audit a ON a.subject = 'workspace:' || c.workspace_id AND a.at BETWEEN c.queued_at AND coalesce(c.finished_at, a.at)
  UNION ALL
  SELECT a.at, a.who, a.action, m.id, coalesce(m.name, m.phone), a.details
  FROM campaign c
  JOIN audit a ON a.workspace_id = c.workspace_id AND a.at >= c.created_at AND a.subject LIKE 'message:%'
  JOIN messages m ON m.campaign_id = c.id AND m.id = CASE WHEN a.subject LIKE 'message:%' THEN substr(a.subject, 9)::bigint END
  UNION ALL
  SELECT cd.out_at, NULL, 'device_left', NULL, d.name, jsonb_build_object('code', cd.out_code)
  FROM campaign c
  JOIN campaign_devices cd ON cd.campaign_id = c.id AND cd.out_at IS NOT NULL
  JOIN devices d ON d.id = cd.device_id
  UNION ALL
  SELECT own.at, NULL, own.what, NULL, NULL, jsonb_build_object('status', c.status)
  FROM campaign c
  CROSS JOIN LATERAL (
    VALUES (c.created_at, 'created'), (c.scheduled_at, 'due'), (c.started_at, 'started'), (c.finished_at, 'ended')
  ) own (at, what)
  WHERE own.at <= clock_timestamp()
)
SELECT at, who, what, message_id, name, details FROM happened ORDER BY at DESC LIMIT :limit
