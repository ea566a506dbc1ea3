-- Messages whose lease is over, by the database's clock. messages_slot_key holds only what is in flight, so this reads
-- little however long the table is. A bridge that is away, or of another kind than the device, cannot be asked: the ledger of
-- the one would prove nothing of the other.
SELECT m.id AS message_id, m.attempt, m.campaign_id, d.id AS device_id, d.session, d.bridge_address, a.begun_at,
       a.error_code AS code,
       a.begun_at > clock_timestamp() - make_interval(secs => :lease_s) AS may_end,
       extract(epoch FROM clock_timestamp() - m.lease_until)::float AS overdue_s,
       d.provider = coalesce(b.provider, d.provider) AS served
FROM messages m
JOIN devices d ON d.id = m.device_id
JOIN bridges b ON b.address = d.bridge_address
JOIN attempts a ON a.message_id = m.id AND a.number = m.attempt
WHERE m.slot IS NOT NULL AND m.status = 'processing' AND m.lease_until < clock_timestamp()
  AND (b.away_since IS NULL AND d.provider = coalesce(b.provider, d.provider)
       OR m.lease_until < clock_timestamp() - make_interval(secs => :patience_s))
ORDER BY m.lease_until
LIMIT :limit
