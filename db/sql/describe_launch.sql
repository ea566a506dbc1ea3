-- What the launch answer says of a campaign, counted now.
SELECT c.job_id, c.status,
       (SELECT count(*) FROM messages m WHERE m.campaign_id = c.id AND m.status <> 'suppressed') AS queued_count,
       (SELECT count(*) FROM messages m WHERE m.campaign_id = c.id AND m.status IN ('sent', 'delivered', 'read'))
         AS sent_count,
       (SELECT count(*) FROM rejected_rows r WHERE r.campaign_id = c.id) AS invalid_count
FROM campaigns c WHERE c.id = :id
