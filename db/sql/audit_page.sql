-- Who did what, the latest first, from below an id. The name of what it was done to, if that is still there.
SELECT a.id, a.at, a.who, a.action, a.subject, a.details,
       CASE split_part(a.subject, ':', 1)
         WHEN 'device' THEN (SELECT name FROM devices WHERE id = split_part(a.subject, ':', 2)::bigint)
         WHEN 'campaign' THEN (SELECT title FROM campaigns WHERE id = split_part(a.subject, ':', 2)::bigint)
       END AS name
FROM audit a
WHERE a.workspace_id = :workspace_id AND (CAST(:before AS bigint) IS NULL OR a.id < :before)
ORDER BY a.id DESC
LIMIT :limit
