-- Messages that the provider took, and of which an event has told since that they were not sent.
SELECT m.id AS message_id, m.attempt, m.campaign_id, m.device_id, d.bridge_address,
       a.error_code AS code, coalesce(a.error_reason, '') AS reason, m.lease_until > clock_timestamp() AS leased
FROM messages m
JOIN attempts a ON a.message_id = m.id AND a.number = m.attempt AND a.outcome = 'not_sent'
JOIN devices d ON d.id = m.device_id
WHERE m.status = 'processing' AND m.slot IS NULL
ORDER BY m.id
LIMIT :limit
