-- The official numbers of a workspace, and how each one's business account has this template; nulls where it does not.
SELECT d.id AS device_id, t.status, t.components
FROM devices d
JOIN cloud_numbers n ON n.device_id = d.id
LEFT JOIN templates t ON t.business_id = n.business_id AND t.name = :name AND t.language = :language
WHERE d.workspace_id = :workspace_id
ORDER BY d.id
