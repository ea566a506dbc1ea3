-- What each device did for a campaign: those that may be used, those that have messages of it, and those deleted since. Null
-- is for the messages that no device has been given.
SELECT d.id AS device_id, d.name, false AS deleted, cd.out_at, cd.out_code, coalesce(m.counts, '{}') AS counts
FROM (
  SELECT device_id, jsonb_object_agg(status, n) AS counts FROM (
    SELECT device_id, status, count(*) AS n FROM messages WHERE campaign_id = :campaign_id GROUP BY device_id, status
  ) counted GROUP BY device_id
) m
FULL JOIN (SELECT * FROM campaign_devices WHERE campaign_id = :campaign_id) cd ON cd.device_id = m.device_id
LEFT JOIN devices d ON d.id = coalesce(cd.device_id, m.device_id)
UNION ALL
SELECT device_id, device_name, true, NULL, NULL, counts FROM departed_totals WHERE campaign_id = :campaign_id
ORDER BY deleted, name, device_id
