-- A draft. Of the devices that were chosen, those that are still there.
SELECT c.id, c.title, c.message, c.template,
       CASE WHEN c.device_ids IS NOT NULL
         THEN ARRAY(SELECT d.id FROM devices d WHERE d.id = ANY(c.device_ids) ORDER BY d.id) END AS device_ids,
       c.min_delay_s, c.max_delay_s, c.scheduled_at, c.save_leads, coalesce(c.headers, '[]') AS headers, c.phone_header,
       c.created_at, coalesce(c.edited_at, c.created_at) AS edited_at
FROM campaigns c
WHERE c.id = :id AND c.workspace_id = :workspace_id AND c.status = 'draft'
