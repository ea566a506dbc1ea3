-- Devices as a forecast needs them: one row for each campaign (null: single sends) of which messages wait there and may
-- go, and one without for a device where none do. What is used counts in the hour and on the day of :at.
-- Where the forecast is about one campaign, its people are told also when the device is out of it.
WITH waiting AS (
  SELECT device_id, campaign_id, count(*) AS n FROM messages
  WHERE status = 'queued' AND device_id = ANY(:device_ids)
  GROUP BY device_id, campaign_id
),
going AS (
  SELECT waiting.*, c.min_delay_s, c.max_delay_s, cd.out_at IS NOT NULL AS out
  FROM waiting
  LEFT JOIN campaigns c ON c.id = waiting.campaign_id
  LEFT JOIN campaign_devices cd ON cd.campaign_id = waiting.campaign_id AND cd.device_id = waiting.device_id
  WHERE waiting.campaign_id IS NULL
    OR c.status IN ('queued', 'running') AND (cd.out_at IS NULL OR c.id = CAST(:campaign_id AS bigint))
)
SELECT d.id, d.min_gap_s, d.max_gap_s, d.hourly_cap, d.daily_cap, d.next_send_at,
       CASE WHEN d.hour = date_trunc('hour', CAST(:at AS timestamptz)) THEN d.hour_count ELSE 0 END AS hour_used,
       CASE WHEN d.day >= (CAST(:at AS timestamptz) AT TIME ZONE w.time_zone)::date THEN d.day_count ELSE 0 END AS day_used,
       d.can_send AND b.away_since IS NULL AS ready,
       going.campaign_id, coalesce(going.n, 0) AS n, going.min_delay_s, going.max_delay_s, going.out
FROM devices d
JOIN workspaces w ON w.id = d.workspace_id
JOIN bridges b ON b.address = d.bridge_address
LEFT JOIN going ON going.device_id = d.id
WHERE d.id = ANY(:device_ids)
ORDER BY d.id, going.campaign_id
