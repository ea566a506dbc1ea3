-- Every device that may send and has something to send, with the time from which it may. The dispatcher's hints in Redis
-- are rebuilt from this.
SELECT d.id, d.in_flight_limit, d.next_send_at
FROM devices d
JOIN workspaces w ON w.id = d.workspace_id AND w.sending_stopped_at IS NULL
JOIN bridges b ON b.address = d.bridge_address AND b.away_since IS NULL
WHERE d.can_send AND (
  EXISTS (
    SELECT 1 FROM campaign_devices cd
    WHERE cd.device_id = d.id AND cd.active AND cd.out_at IS NULL
      AND EXISTS (
        SELECT 1 FROM messages m
        WHERE m.device_id = d.id AND m.campaign_id = cd.campaign_id AND m.status = 'queued'))
  OR EXISTS (
    SELECT 1 FROM messages m WHERE m.device_id = d.id AND m.campaign_id IS NULL AND m.status = 'queued')
)
