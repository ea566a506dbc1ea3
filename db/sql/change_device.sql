-- Change a device. next_send_at is the whole answer to "when may it send", so a cap that was reached and is reached no
-- longer opens it again (after a pause of the device's own), and one that is reached by now closes it.
WITH old AS (
  SELECT d.*, w.time_zone, clock_timestamp() AS now
  FROM devices d JOIN workspaces w ON w.id = d.workspace_id
  WHERE d.id = :id AND d.workspace_id = :workspace_id
  FOR UPDATE OF d
),
new AS (
  SELECT old.*,
    CASE WHEN 'name' = ANY(:named) THEN CAST(:name AS text) ELSE name END AS new_name,
    CASE WHEN 'min_gap_s' = ANY(:named) THEN CAST(:min_gap_s AS float) ELSE min_gap_s END AS new_min_gap_s,
    CASE WHEN 'daily_cap' = ANY(:named) THEN CAST(:daily_cap AS int) ELSE daily_cap END AS new_daily_cap,
    CASE WHEN 'hourly_cap' = ANY(:named) THEN CAST(:hourly_cap AS int) ELSE hourly_cap END AS new_hourly_cap,
    CASE WHEN hour = date_trunc('hour', now) THEN hour_count ELSE 0 END AS sent_this_hour,
    CASE WHEN day >= (now AT TIME ZONE time_zone)::date THEN day_count ELSE 0 END AS sent_today,
    date_trunc('hour', now) + interval '1 hour' AS next_hour,
    (greatest(day, (now AT TIME ZONE time_zone)::date) + 1)::timestamp AT TIME ZONE time_zone AS next_day
  FROM old
),
closed AS (
  SELECT new.*,
    greatest(CASE WHEN sent_this_hour >= hourly_cap THEN next_hour END,
             CASE WHEN sent_today >= daily_cap THEN next_day END) AS was_closed_until,
    greatest(CASE WHEN sent_this_hour >= new_hourly_cap THEN next_hour END,
             CASE WHEN sent_today >= new_daily_cap THEN next_day END) AS closed_until
  FROM new
)
UPDATE devices d SET
  name = new_name, min_gap_s = new_min_gap_s,
  -- An official number has one pace, so a shorter gap makes it faster.
  max_gap_s = CASE WHEN closed.provider = 'cloud' THEN new_min_gap_s ELSE greatest(closed.max_gap_s, new_min_gap_s) END,
  daily_cap = new_daily_cap, hourly_cap = new_hourly_cap,
  next_send_at = CASE
    WHEN was_closed_until IS NOT NULL
      THEN coalesce(closed_until, least(closed.next_send_at, now + make_interval(secs => closed.max_gap_s)))
    ELSE greatest(closed.next_send_at, closed_until) END
FROM closed
WHERE d.id = closed.id
RETURNING d.id
