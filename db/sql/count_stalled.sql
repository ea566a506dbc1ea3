-- Add to each device the time since the last count in which it could have sent and did not. What held at the last count
-- and holds now is taken to have held in between: so an outage of everything counts, and a pause does not.
WITH last AS (
  SELECT coalesce((SELECT at FROM marks WHERE name = 'stalled'), clock_timestamp()) AS at
),
mark AS (
  INSERT INTO marks (name, at) VALUES ('stalled', clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET at = excluded.at
),
stalled AS (
  SELECT d.id, extract(epoch FROM clock_timestamp() - greatest(last.at, d.next_send_at, work.due_at)) AS for_s
  FROM last, devices d
  JOIN workspaces w ON w.id = d.workspace_id AND w.sending_stopped_at IS NULL
  JOIN bridges b ON b.address = d.bridge_address AND b.away_since IS NULL
  CROSS JOIN LATERAL (
    SELECT min(due_at) AS due_at FROM (
      SELECT m.due_at FROM messages m
      WHERE m.device_id = d.id AND m.campaign_id IS NULL AND m.status = 'queued'
      UNION ALL
      SELECT m.due_at FROM campaign_devices cd
      CROSS JOIN LATERAL (
        SELECT m.due_at FROM messages m
        WHERE m.device_id = d.id AND m.campaign_id = cd.campaign_id AND m.status = 'queued' ORDER BY m.id LIMIT 1
      ) m
      WHERE cd.device_id = d.id AND cd.active AND cd.out_at IS NULL
    ) waiting
  ) work
  WHERE d.can_send
    -- A device that is sending right now, or was due a moment ago, is at work and not stalled.
    AND d.next_send_at < clock_timestamp() - interval '2 seconds'
    AND work.due_at < clock_timestamp() - interval '2 seconds'
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.device_id = d.id AND m.slot IS NOT NULL)
)
UPDATE devices d SET stalled_s = d.stalled_s + stalled.for_s FROM stalled WHERE d.id = stalled.id
RETURNING d.id
