-- Devices with what is known of their health, what they sent today and how many messages wait for them.
SELECT d.id, d.name, d.provider, d.session, d.phone,
       CASE WHEN b.away_since IS NULL THEN d.state ELSE 'bridge_away' END AS state,
       d.connected AND b.away_since IS NULL AS connected,
       d.can_send AND b.away_since IS NULL AS can_send,
       CASE WHEN d.connected AND b.away_since IS NULL
         THEN greatest(0, extract(epoch FROM clock_timestamp() - d.connected_since))::bigint END AS session_age,
       d.last_message_at AS last_message_ts, d.qr_required,
       coalesce(nullif(d.parked_until, 'infinity'), d.restricted_until) AS restricted_until, b.checked_at,
       CASE WHEN b.away_since IS NULL THEN d.error_code ELSE b.error_code END AS error_code,
       CASE WHEN b.away_since IS NULL THEN d.error_reason ELSE b.error_reason END AS error_reason,
       b.address AS bridge_address, b.away_since AS bridge_away_since,
       d.min_gap_s, d.max_gap_s, d.daily_cap, d.hourly_cap,
       CASE WHEN d.day >= (clock_timestamp() AT TIME ZONE w.time_zone)::date THEN d.day_count ELSE 0 END AS sent_today,
       CASE WHEN d.hour = date_trunc('hour', clock_timestamp()) THEN d.hour_count ELSE 0 END AS sent_this_hour,
       waiting.n AS waiting_count,
       n.business_id AS business_account_id, n.quality, n.messaging_limit
FROM devices d
JOIN workspaces w ON w.id = d.workspace_id
JOIN bridges b ON b.address = d.bridge_address
LEFT JOIN cloud_numbers n ON n.device_id = d.id
CROSS JOIN LATERAL (SELECT count(*) AS n FROM messages m WHERE m.device_id = d.id AND m.status = 'queued') waiting
WHERE d.workspace_id = :workspace_id AND (CAST(:id AS bigint) IS NULL OR d.id = :id)
ORDER BY d.id
