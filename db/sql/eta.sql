-- Roughly when a running campaign's last message goes out: by its slowest device, whose pace it shares with the other
-- campaigns there. Caps and retries are left out. Null when nothing waits on a device that can send, or all is stopped.
SELECT max(
  greatest(d.next_send_at, clock_timestamp())
  + make_interval(secs => waiting.n * others.n * greatest(0.02, (pace.least_s + greatest(pace.least_s, pace.most_s)) / 2)))
FROM campaigns c
JOIN workspaces w ON w.id = c.workspace_id AND w.sending_stopped_at IS NULL
JOIN campaign_devices cd ON cd.campaign_id = c.id AND cd.out_at IS NULL
JOIN devices d ON d.id = cd.device_id AND d.can_send
JOIN bridges b ON b.address = d.bridge_address AND b.away_since IS NULL
CROSS JOIN LATERAL (
  SELECT greatest(d.min_gap_s, c.min_delay_s) AS least_s, coalesce(c.max_delay_s, d.max_gap_s) AS most_s
) pace
CROSS JOIN LATERAL (
  SELECT count(*) AS n FROM messages m
  WHERE m.device_id = d.id AND m.campaign_id = c.id AND m.status = 'queued'
) waiting
CROSS JOIN LATERAL (
  SELECT count(*) AS n FROM campaign_devices o WHERE o.device_id = d.id AND o.active AND o.out_at IS NULL
) others
WHERE c.id = :campaign_id AND waiting.n > 0
