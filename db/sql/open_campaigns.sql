-- Campaigns that have not ended, the newest first, with their counts as the aggregator last kept them.
SELECT c.id, c.title, c.status, c.pause_reason,
       coalesce(sum(n::bigint), 0)::bigint AS total,
       coalesce(sum(n::bigint) FILTER (WHERE state NOT IN ('queued', 'processing')), 0)::bigint AS done
FROM campaigns c
LEFT JOIN LATERAL jsonb_each_text(c.counts) AS counted (state, n) ON true
WHERE c.workspace_id = :workspace_id AND c.status IN ('scheduled', 'accepted', 'queued', 'running', 'paused')
GROUP BY c.id
ORDER BY c.id DESC
LIMIT 20
