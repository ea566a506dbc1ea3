-- One row for each person, also for those who are never sent to; counts those who wait to be sent to.
WITH inserted AS (
  INSERT INTO messages (workspace_id, campaign_id, lead_id, origin, phone, name, variables, row, status, due_at,
                        error_code, suppressed_at)
  SELECT :workspace_id, :campaign_id, p.lead_id, 'campaign', p.phone, p.name, p.variables, p.row,
         CASE WHEN s.phone IS NULL THEN 'queued' ELSE 'suppressed' END,
         coalesce(CAST(:due_at AS timestamptz), clock_timestamp()),
         CASE WHEN s.phone IS NOT NULL THEN 'suppressed' END,
         CASE WHEN s.phone IS NOT NULL THEN clock_timestamp() END
  FROM launch_people p
  LEFT JOIN suppressions s ON s.workspace_id = :workspace_id AND s.phone = p.phone
  ORDER BY p.row
  RETURNING status
)
SELECT count(*) FILTER (WHERE status = 'queued') FROM inserted
