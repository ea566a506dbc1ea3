-- The message that waits longest of those that could be sent now: its device can send and is due, its campaign runs.
-- Of each device and campaign only the first is looked at: the others came with it or after it.
SELECT m.id AS message_id, m.campaign_id, d.id AS device_id, d.name AS device_name,
       extract(epoch FROM clock_timestamp() - greatest(m.due_at, d.next_send_at))::float AS waits_s
FROM devices d
JOIN workspaces w ON w.id = d.workspace_id AND w.sending_stopped_at IS NULL
JOIN bridges b ON b.address = d.bridge_address AND b.away_since IS NULL
CROSS JOIN LATERAL (
  (SELECT id, campaign_id, due_at FROM messages
   WHERE device_id = d.id AND campaign_id IS NULL AND status = 'queued' ORDER BY id LIMIT 1)
  UNION ALL
  (SELECT first.* FROM campaign_devices cd
   CROSS JOIN LATERAL (
     SELECT id, campaign_id, due_at FROM messages
     WHERE device_id = d.id AND campaign_id = cd.campaign_id AND status = 'queued' ORDER BY id LIMIT 1
   ) first
   WHERE cd.device_id = d.id AND cd.active AND cd.out_at IS NULL)
) m
WHERE d.can_send AND d.next_send_at <= clock_timestamp() AND m.due_at <= clock_timestamp()
ORDER BY waits_s DESC
LIMIT 1
