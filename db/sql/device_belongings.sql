-- What waits for a device or is in flight on it, and what would go with it.
SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
       count(*) FILTER (WHERE status = 'processing' OR slot IS NOT NULL) AS in_flight,
       count(*) AS messages,
       (SELECT count(*) FROM leads WHERE device_id = :device_id AND workspace_id = :workspace_id) AS leads
FROM messages WHERE device_id = :device_id AND workspace_id = :workspace_id
