-- What a bridge says of its sessions, written where it differs. A device that the bridge does not name has no session there.
-- A strike is counted when a device stops being able to send, and at each look that is due for it while it is not; the first
-- of these come quickly (2 s, 4 s), so that its messages do not wait for the usual round, of which the bridge's
-- next_probe_at keeps the time. A look never clears a strike: a good send does, so that a bridge which calls a session
-- healthy that cannot send does not keep it in its campaigns.
WITH told AS (
  SELECT * FROM unnest(
    CAST(:sessions AS text[]), CAST(:states AS text[]), CAST(:connected AS boolean[]), CAST(:can_send AS boolean[]),
    CAST(:qr_required AS boolean[]), CAST(:ages AS bigint[]), CAST(:phones AS text[]), CAST(:errors AS text[]),
    CAST(:restricted AS timestamptz[])
  ) AS t (session, state, connected, can_send, qr_required, age_s, phone, error, restricted_until)
),
now AS (
  SELECT d.id, d.can_send AS could_send,
         coalesce(t.state, 'no_session') AS state,
         coalesce(t.connected, false) AS connected,
         coalesce(t.can_send, false) AS can_send,
         coalesce(t.qr_required, false) AS qr_required,
         CASE WHEN abs(extract(epoch FROM clock_timestamp() - d.connected_since) - t.age_s) <= 5 THEN d.connected_since
              ELSE clock_timestamp() - make_interval(secs => t.age_s) END AS connected_since,
         coalesce(t.phone, d.phone) AS phone,
         CASE WHEN t.can_send THEN NULL
              WHEN coalesce(t.state, 'no_session') = ANY(:codes) THEN coalesce(t.state, 'no_session')
              WHEN t.qr_required THEN 'qr_required'
              ELSE 'not_connected' END AS error_code,
         CASE WHEN t.can_send THEN NULL ELSE t.error END AS error_reason,
         t.restricted_until,
         NOT coalesce(t.can_send, false) AND (d.can_send OR d.next_check_at <= clock_timestamp()) AS struck,
         CASE WHEN coalesce(t.state, 'no_session') = ANY(:coming) THEN :coming_look_s
              ELSE :first_look_s * (d.strikes + 1) END AS look_s
  FROM devices d LEFT JOIN told t ON t.session = d.session
  WHERE d.bridge_address = :address
)
UPDATE devices d SET
  state = now.state, connected = now.connected, can_send = now.can_send, qr_required = now.qr_required,
  connected_since = now.connected_since, phone = now.phone, restricted_until = now.restricted_until,
  error_code = now.error_code, error_reason = now.error_reason,
  strikes = CASE WHEN now.struck THEN least(d.strikes + 1, :out) ELSE d.strikes END,
  next_check_at = CASE
    WHEN now.can_send OR d.strikes + now.struck::int >= :out THEN 'infinity'
    WHEN now.struck THEN clock_timestamp() + make_interval(secs => now.look_s)
    ELSE least(d.next_check_at, clock_timestamp() + make_interval(secs => now.look_s)) END
FROM now
WHERE d.id = now.id AND (
  d.next_check_at <= clock_timestamp()
  OR (d.state, d.connected, d.can_send, d.qr_required) IS DISTINCT FROM
     (now.state, now.connected, now.can_send, now.qr_required)
  OR (d.connected_since, d.phone, d.restricted_until) IS DISTINCT FROM
     (now.connected_since, now.phone, now.restricted_until))
RETURNING d.id, d.session, d.can_send, now.could_send
