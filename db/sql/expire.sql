-- Only messages of devices that have just stalled can have come to the end of their window.
WITH over AS (
  UPDATE messages m SET
    status = CASE WHEN m.attempt > 0 AND has_unproven_attempt(m.id) THEN 'unknown' ELSE 'failed' END,
    error_code = 'expired',
    error_reason = NULL
  FROM devices d
  WHERE d.id = ANY(:device_ids) AND d.stalled_s > :window_s AND m.device_id = d.id AND m.status = 'queued'
    AND d.stalled_s - m.stalled_base_s > :window_s
    AND (m.campaign_id IS NULL OR EXISTS (
      SELECT 1 FROM campaigns c WHERE c.id = m.campaign_id AND c.status IN ('queued', 'running')))
  RETURNING m.campaign_id
)
SELECT campaign_id, count(*) AS n FROM over GROUP BY campaign_id
