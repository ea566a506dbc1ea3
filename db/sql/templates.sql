-- The templates of a workspace's business accounts, each with the numbers of its account.
SELECT t.business_id AS business_account_id, t.name, t.language, t.status, t.category, t.parameter_format, t.components,
       t.synced_at, n.device_ids
FROM templates t
JOIN (
  SELECT c.business_id, array_agg(d.id ORDER BY d.id) AS device_ids
  FROM cloud_numbers c JOIN devices d ON d.id = c.device_id
  WHERE d.workspace_id = :workspace_id
  GROUP BY c.business_id
) n ON n.business_id = t.business_id
ORDER BY t.name, t.language, t.business_id
