-- Drafts, the last edited first.
SELECT c.id, c.title, people.n AS people, c.created_at, coalesce(c.edited_at, c.created_at) AS edited_at
FROM campaigns c
CROSS JOIN LATERAL (SELECT count(*) AS n FROM draft_people p WHERE p.campaign_id = c.id) people
WHERE c.workspace_id = :workspace_id AND c.status = 'draft'
ORDER BY coalesce(c.edited_at, c.created_at) DESC, c.id DESC
LIMIT :limit
