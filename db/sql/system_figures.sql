-- The machine room in figures. Doubts are counted by campaign, each from its own stretch of the index (campaign, status, id).
-- Lateness is how long after it could have begun an attempt began; attempts_begun_at (BRIN) finds those of five minutes, whose
-- beginning is asked for by itself: an index is not looked at for a value that could change from row to row.
WITH since AS MATERIALIZED (SELECT clock_timestamp() - interval '5 minutes' AS at)
SELECT
  (SELECT coalesce(sum(of_campaign.n), 0) FROM campaigns c CROSS JOIN LATERAL (
     SELECT count(*) AS n FROM messages
     WHERE campaign_id = c.id AND status = 'unknown' AND doubt_left_by IS NULL) of_campaign)::bigint
  + (SELECT count(*) FROM messages WHERE campaign_id IS NULL AND status = 'unknown' AND doubt_left_by IS NULL) AS in_doubt,
  (SELECT count(*) FROM events WHERE applied_at IS NULL) AS events_waiting,
  (SELECT extract(epoch FROM clock_timestamp() - received_at)::float FROM events
   WHERE applied_at IS NULL ORDER BY id LIMIT 1) AS oldest_event_s,
  late.p50_s AS lateness_p50_s, late.p99_s AS lateness_p99_s, late.attempts,
  (SELECT sending_stopped_at IS NOT NULL FROM workspaces WHERE id = :workspace_id) AS stopped,
  current_setting('server_version') AS postgres_version,
  (SELECT max(version_num) FROM alembic_version) AS schema_revision,
  clock_timestamp() AS at
FROM (
  SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY late_s) AS p50_s,
         percentile_cont(0.99) WITHIN GROUP (ORDER BY late_s) AS p99_s, count(*) AS attempts
  FROM (
    SELECT extract(epoch FROM begun_at - due_at)::float AS late_s FROM attempts
    WHERE begun_at >= (SELECT at FROM since)
  ) of_late
) late
