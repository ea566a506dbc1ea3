-- Each figure from an index that holds little else: what waits, what is in flight, what was begun of late (BRIN), what
-- failed of late. Nothing here reads the table of messages at its full length.
-- The moment is asked for once and by itself: an index is not looked at for a value that could change from row to row.
WITH since AS MATERIALIZED (SELECT clock_timestamp() - interval '5 minutes' AS at)
SELECT
  (SELECT count(*) FROM messages WHERE workspace_id = :workspace_id AND status = 'queued')
    + (SELECT count(*) FROM messages
       WHERE slot IS NOT NULL AND status = 'processing' AND workspace_id = :workspace_id) AS pending_count,
  (SELECT count(*) FROM attempts a JOIN devices d ON d.id = a.device_id AND d.workspace_id = :workspace_id
   WHERE a.begun_at >= (SELECT at FROM since) AND a.outcome IN ('sent', 'delivered', 'read'))
    AS sent_last_5m,
  (SELECT count(*) FROM messages
   WHERE workspace_id = :workspace_id AND failed_at >= (SELECT at FROM since)) AS failed_last_5m,
  clock_timestamp() AS as_of
