-- A draft like another campaign. What it was scheduled for is over or its own.
INSERT INTO campaigns (workspace_id, title, message, template, status, job_id, headers, phone_header, device_ids, min_delay_s,
                       max_delay_s, save_leads, edited_at)
SELECT workspace_id, left(title, :kept) || :copy, message, template, 'draft', CAST(:job_id AS uuid), headers, phone_header,
       device_ids, min_delay_s, max_delay_s, save_leads, clock_timestamp()
FROM campaigns WHERE id = :id AND workspace_id = :workspace_id
RETURNING id
