-- Count what was sent and what failed in this minute and the two before it, by campaign (0: of none).
-- Two at once are right in whatever order they end: counts only ever rise, so the larger one stands; and rows are written
-- in one order, so that neither waits for the other in a circle. A count that falls, as when failed messages are retried or
-- a device is deleted with its messages, stays as well: it happened in that minute.
WITH since AS MATERIALIZED (
  SELECT date_trunc('minute', clock_timestamp()) - interval '2 minutes' AS minute, clock_timestamp() AS now
),
sent AS (
  SELECT date_trunc('minute', a.begun_at) AS minute, m.workspace_id, coalesce(m.campaign_id, 0) AS campaign_id
  FROM attempts a JOIN messages m ON m.id = a.message_id
  WHERE a.begun_at >= (SELECT minute FROM since) AND a.outcome IN ('sent', 'delivered', 'read')
),
failed AS (
  SELECT date_trunc('minute', m.failed_at) AS minute, m.workspace_id, coalesce(m.campaign_id, 0) AS campaign_id
  FROM workspaces w JOIN messages m ON m.workspace_id = w.id AND m.failed_at >= (SELECT minute FROM since)
),
mark AS (
  INSERT INTO marks (name, at) SELECT 'minutes', now FROM since
  ON CONFLICT (name) DO UPDATE SET at = greatest(marks.at, excluded.at)
)
INSERT INTO minute_counts (minute, workspace_id, campaign_id, sent, failed)
SELECT minute, workspace_id, campaign_id, sum(sent), sum(failed) FROM (
  SELECT minute, workspace_id, campaign_id, count(*) AS sent, 0 AS failed FROM sent GROUP BY 1, 2, 3
  UNION ALL
  SELECT minute, workspace_id, campaign_id, 0, count(*) FROM failed GROUP BY 1, 2, 3
) counted
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (minute, workspace_id, campaign_id) DO UPDATE SET
  sent = greatest(minute_counts.sent, excluded.sent), failed = greatest(minute_counts.failed, excluded.failed)
WHERE minute_counts.sent < excluded.sent OR minute_counts.failed < excluded.failed
