-- Devices that have to leave a campaign: those with three strikes that cannot send. And those that left and still have
-- messages of it that another can send, or that were in doubt and wait again, which nobody else may send. What no other can
-- send, a template that its account does not have or free text without a window, waits for them.
SELECT cd.campaign_id, cd.device_id, d.error_code
FROM campaign_devices cd
JOIN devices d ON d.id = cd.device_id
JOIN campaigns c ON c.id = cd.campaign_id
WHERE cd.active AND (CAST(:campaign_id AS bigint) IS NULL OR cd.campaign_id = :campaign_id)
  AND (
    cd.out_at IS NULL AND d.strikes >= :out AND NOT d.can_send
    OR cd.out_at IS NOT NULL AND EXISTS (
      SELECT 1 FROM campaign_devices o
      JOIN devices od ON od.id = o.device_id AND od.can_send
      LEFT JOIN cloud_numbers n ON n.device_id = od.id
      WHERE o.campaign_id = cd.campaign_id AND o.out_at IS NULL
        AND EXISTS (
          SELECT 1 FROM messages m
          WHERE m.device_id = cd.device_id AND m.campaign_id = cd.campaign_id AND m.status = 'queued'
            AND (m.attempt > 0 AND has_unproven_attempt(m.id)
              OR CASE
                   WHEN c.template IS NOT NULL THEN EXISTS (
                     SELECT 1 FROM templates t
                     WHERE t.business_id = n.business_id AND t.name = c.template ->> 'name'
                       AND t.language = c.template ->> 'language' AND t.status = 'APPROVED')
                   WHEN od.provider = 'cloud' THEN EXISTS (
                     SELECT 1 FROM conversations w
                     WHERE w.device_id = od.id AND w.phone = m.phone
                       AND w.last_inbound_at > clock_timestamp() - make_interval(secs => :open_s))
                   ELSE true
                 END))))
ORDER BY cd.campaign_id, cd.device_id
