-- When a device and slot should be looked at again: null when there is nothing to send or it may not send at all. A slot that
-- is held, by a worker that lives or was lost, is looked at when its lease is over; who holds it says earlier when it is free.
-- The slots of a device are looked at one after another, a gap apart: all at once, one of them would find something to do.
SELECT greatest(d.next_send_at + make_interval(secs => :slot * least(d.min_gap_s, 1)), work.due_at, held.until) AS due_at
FROM devices d
JOIN workspaces w ON w.id = d.workspace_id AND w.sending_stopped_at IS NULL
JOIN bridges b ON b.address = d.bridge_address AND b.away_since IS NULL
CROSS JOIN LATERAL (
  SELECT min(due_at) AS due_at FROM (
    SELECT greatest(m.due_at, p.next_at) AS due_at FROM messages m
    LEFT JOIN pairs p ON d.pair_gap_s > 0 AND p.device_id = d.id AND p.phone = m.phone
    WHERE m.device_id = d.id AND m.campaign_id IS NULL AND m.status = 'queued'
    UNION ALL
    SELECT m.due_at FROM campaign_devices cd
    CROSS JOIN LATERAL (
      -- The first few are enough: only those in their back-off are not due, and they are few.
      SELECT greatest(m.due_at, p.next_at) AS due_at FROM messages m
      LEFT JOIN pairs p ON d.pair_gap_s > 0 AND p.device_id = d.id AND p.phone = m.phone
      WHERE m.device_id = cd.device_id AND m.campaign_id = cd.campaign_id AND m.status = 'queued'
      ORDER BY m.id LIMIT 20
    ) m
    WHERE cd.device_id = d.id AND cd.active AND cd.out_at IS NULL
  ) waiting
) work
LEFT JOIN LATERAL (
  SELECT greatest(m.lease_until, clock_timestamp() + interval '1 second') AS until
  FROM messages m WHERE m.device_id = d.id AND m.slot = :slot
) held ON true
WHERE d.id = :device_id AND d.can_send AND work.due_at IS NOT NULL
