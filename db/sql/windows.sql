-- Who may be written to freely, and from which of these devices: people who wrote to it within the last :open_s seconds.
-- One row for each person and device, the device they wrote to last first.
SELECT phone, device_id FROM conversations
WHERE device_id = ANY(:device_ids) AND last_inbound_at > clock_timestamp() - make_interval(secs => :open_s)
ORDER BY phone, last_inbound_at DESC, device_id
