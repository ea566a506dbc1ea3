-- Begin: take one message for this device and slot, or return no row. The one statement on which pace, exclusivity and
-- every precondition rest, whatever Redis says and however many workers ask.
--
-- The device's row is locked first and its next_send_at read under the lock (SKIP LOCKED: somebody else is beginning
-- on it, so there is nothing for us to do). messages_slot_key refuses a second send in the same slot.
--
-- A device with one send at a time keeps a pause between two messages. One that may have several in flight keeps a rate:
-- what it has missed of the last moments it may make good, or each delay on the way would lower it.
WITH device AS MATERIALIZED (
  SELECT d.id, d.workspace_id, d.session, d.bridge_address, d.min_gap_s, d.max_gap_s, d.hourly_cap, d.daily_cap,
         d.next_send_at, d.hour, d.hour_count, d.day, d.day_count, d.in_flight_limit, d.pair_gap_s, w.time_zone,
         clock_timestamp() AS now
  FROM devices d
  JOIN workspaces w ON w.id = d.workspace_id
  JOIN bridges b ON b.address = d.bridge_address
  WHERE d.id = :device_id
    AND d.next_send_at <= clock_timestamp()
    AND d.can_send
    AND d.in_flight_limit > :slot
    AND w.sending_stopped_at IS NULL
    AND b.away_since IS NULL
  FOR UPDATE OF d SKIP LOCKED
),
next AS (
  (
    -- Inbox before single before sequence.
    SELECT m.id, NULL::bigint AS campaign_id, NULL AS campaign_status, m.priority, NULL::timestamptz AS last_begun_at,
           m.due_at, NULL::float AS min_delay_s, NULL::float AS max_delay_s
    FROM device d
    JOIN messages m ON m.device_id = d.id AND m.campaign_id IS NULL AND m.status = 'queued' AND m.due_at <= d.now
    WHERE NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone)
      AND NOT (d.pair_gap_s > 0 AND EXISTS (
        SELECT 1 FROM pairs p WHERE p.device_id = d.id AND p.phone = m.phone AND p.next_at > d.now))
    ORDER BY m.priority, m.id
    LIMIT 1
  )
  UNION ALL
  (
    -- Campaigns come last, and take turns: the one that this device served longest ago is next.
    SELECT m.id, c.id AS campaign_id, c.status AS campaign_status, m.priority, cd.last_begun_at,
           m.due_at, c.min_delay_s, c.max_delay_s
    FROM device d
    JOIN campaign_devices cd ON cd.device_id = d.id AND cd.active AND cd.out_at IS NULL
    JOIN campaigns c ON c.id = cd.campaign_id AND c.status IN ('queued', 'running')
    CROSS JOIN LATERAL (
      SELECT m.id, m.priority, m.due_at FROM messages m
      WHERE m.device_id = cd.device_id AND m.campaign_id = cd.campaign_id AND m.status = 'queued' AND m.due_at <= d.now
        AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone)
        AND NOT (d.pair_gap_s > 0 AND EXISTS (
          SELECT 1 FROM pairs p WHERE p.device_id = d.id AND p.phone = m.phone AND p.next_at > d.now))
      ORDER BY m.id
      LIMIT 1
    ) m
    ORDER BY cd.last_begun_at NULLS FIRST
    LIMIT 1
  )
  ORDER BY priority, last_begun_at NULLS FIRST
  LIMIT 1
),
opening AS MATERIALIZED (
  -- A campaign's first message changes the campaign too. Whoever pauses or cancels locks the campaign before its messages
  -- and devices, so this does as well (in another order each would wait for the other), and sees what they made of it.
  SELECT c.status FROM next JOIN campaigns c ON c.id = next.campaign_id
  WHERE next.campaign_status = 'queued'
  FOR NO KEY UPDATE OF c
),
begun AS (
  UPDATE messages m SET
    status = 'processing',
    attempt = m.attempt + 1,
    slot = :slot,
    processing_worker_id = :worker_id,
    processing_started_at = d.now,
    lease_until = clock_timestamp() + make_interval(secs => :lease_s),
    accepted_at = NULL
  FROM next, device d
  WHERE NOT EXISTS (SELECT 1 FROM opening WHERE opening.status NOT IN ('queued', 'running'))
    AND m.id = next.id AND m.status = 'queued' AND m.device_id = d.id
  RETURNING m.id, m.attempt, m.campaign_id, m.phone, m.name, m.variables, m.text, m.template,
            greatest(d.next_send_at, next.due_at) AS due_at,
            -- The campaign's range of pauses replaces the device's, but never below the device's least.
            greatest(d.min_gap_s, next.min_delay_s)
              + :fraction * greatest(0, coalesce(next.max_delay_s, d.max_gap_s) - greatest(d.min_gap_s, next.min_delay_s))
              + CASE WHEN greatest(d.min_gap_s, next.min_delay_s) >= :jitter_from_s
                     THEN CAST(:jitter_s AS float) ELSE 0 END AS gap_s
),
attempt AS (
  INSERT INTO attempts (message_id, number, device_id, worker_id, due_at, begun_at)
  SELECT begun.id, begun.attempt, d.id, :worker_id, begun.due_at, d.now FROM begun, device d
),
counted AS (
  SELECT begun.gap_s,
         CASE WHEN d.in_flight_limit = 1 THEN d.now
              ELSE greatest(d.next_send_at, d.now - make_interval(secs => :catch_up_s)) END AS paced_from,
         CASE WHEN d.hour = date_trunc('hour', d.now) THEN d.hour_count ELSE 0 END + 1 AS hour_count,
         -- Where clocks go back over midnight a date comes twice: the later one goes on, and so does what it has used.
         CASE WHEN d.day >= (d.now AT TIME ZONE d.time_zone)::date THEN d.day_count ELSE 0 END + 1 AS day_count,
         date_trunc('hour', d.now) AS hour,
         greatest(d.day, (d.now AT TIME ZONE d.time_zone)::date) AS day
  FROM begun, device d
),
moved AS (
  -- A cap that is now reached moves next_send_at to the end of its hour or day, so it is the only thing to look at.
  UPDATE devices SET
    last_message_at = d.now,
    hour = counted.hour, hour_count = counted.hour_count, day = counted.day, day_count = counted.day_count,
    next_send_at = greatest(
      counted.paced_from + make_interval(secs => counted.gap_s),
      CASE WHEN counted.hour_count >= d.hourly_cap THEN counted.hour + interval '1 hour' END,
      CASE WHEN counted.day_count >= d.daily_cap THEN (counted.day + 1)::timestamp AT TIME ZONE d.time_zone END)
  FROM counted, device d
  WHERE devices.id = d.id
  RETURNING devices.next_send_at
),
paired AS (
  -- Until it is recorded it may reach the person at any moment, and the time to the next one counts from then.
  INSERT INTO pairs (device_id, phone, next_at)
  SELECT d.id, begun.phone, d.now + make_interval(secs => :lease_s + d.pair_gap_s) FROM begun, device d
  WHERE d.pair_gap_s > 0
  ON CONFLICT (device_id, phone) DO UPDATE SET next_at = excluded.next_at
),
started AS (
  UPDATE campaigns SET status = 'running', started_at = coalesce(started_at, clock_timestamp())
  FROM begun WHERE campaigns.id = begun.campaign_id AND campaigns.status = 'queued'
),
served AS (
  UPDATE campaign_devices cd SET last_begun_at = d.now
  FROM begun, device d WHERE cd.campaign_id = begun.campaign_id AND cd.device_id = d.id
)
SELECT begun.id AS message_id, begun.attempt, begun.campaign_id, begun.phone, begun.name, begun.variables,
       coalesce(begun.text, c.message) AS text, coalesce(begun.template, c.template) AS template, begun.gap_s,
       begun.due_at, d.id AS device_id, d.session, d.bridge_address, d.now AS begun_at, moved.next_send_at,
       d.pair_gap_s, d.in_flight_limit
FROM begun CROSS JOIN device d CROSS JOIN moved LEFT JOIN campaigns c ON c.id = begun.campaign_id
