-- Campaigns in these states with this in their title, the newest first, from below the id :before. Those that are scheduled
-- are not aggregated yet: how many people they have is counted here.
SELECT id, title, status, pause_reason, error_code, error_reason, counts, counted_at, created_at, scheduled_at, started_at,
       finished_at,
       CASE WHEN status = 'scheduled' THEN (SELECT count(*) FROM messages m WHERE m.campaign_id = c.id) END AS people
FROM campaigns c
WHERE workspace_id = :workspace_id AND status = ANY(:statuses) AND strpos(lower(title), lower(:title)) > 0
  AND (CAST(:before AS bigint) IS NULL OR id < :before)
ORDER BY id DESC
LIMIT :limit
