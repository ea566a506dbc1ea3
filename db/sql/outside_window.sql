-- People of a launch to whom free text cannot go: none of these official numbers will have an open window with them at its
-- start. Who is on the never-send list is not written to anyway.
SELECT p.row, p.phone, count(*) OVER () AS people
FROM launch_people p
WHERE NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = :workspace_id AND s.phone = p.phone)
  AND NOT EXISTS (
    SELECT 1 FROM conversations c
    WHERE c.device_id = ANY(:device_ids) AND c.phone = p.phone
      AND c.last_inbound_at > greatest(clock_timestamp(), CAST(:starts_at AS timestamptz))
                              - make_interval(secs => :open_s))
ORDER BY p.row
LIMIT :sample
