-- What a bridge says of its sessions, written where it differs. A device that the bridge does not name has no session there,
-- and one of another provider than it serves is not its, whatever it calls its sessions. One that is unheard stands as it stood.
-- A strike is counted when a device stops being able to send, and at each look that is due for it while it is not; the first
-- of these come quickly (2 s, 4 s), so that its messages do not wait for the usual round, of which the bridge's
-- next_probe_at keeps the time. A look never clears a strike: a good send does, so that a bridge which calls a session
-- healthy that cannot send does not keep it in its campaigns.
--
-- A parked device cannot send until its time, whatever its bridge says of it. The bridge's word for the end of a restriction
-- holds once: when the next send is refused again, it can only make the time longer that services/trouble.py has set. Who is
-- shown a QR code is being paired anew, and what was parked is no more; so is a banned session that was down and is up.
WITH bridge AS (SELECT CAST(:provider AS text) AS provider),
told AS (
  SELECT d.id, t.* FROM unnest(
    CAST(:sessions AS text[]), CAST(:states AS text[]), CAST(:connected AS boolean[]), CAST(:can_send AS boolean[]),
    CAST(:qr_required AS boolean[]), CAST(:ages AS bigint[]), CAST(:phones AS text[]), CAST(:errors AS text[]),
    CAST(:restricted AS timestamptz[])
  ) AS t (session, state, connected, can_send, qr_required, age_s, phone, error, restricted_until)
  CROSS JOIN bridge
  JOIN devices d ON d.bridge_address = :address AND d.session = t.session AND d.provider = coalesce(bridge.provider, d.provider)
),
parked AS (
  SELECT d.id, CASE
    WHEN t.state = 'banned' THEN 'infinity'
    WHEN t.qr_required OR d.parked_until = 'infinity' AND NOT d.connected AND t.connected THEN NULL
    WHEN t.restricted_until > clock_timestamp() AND d.strikes > :out THEN greatest(d.parked_until, t.restricted_until)
    WHEN t.restricted_until > clock_timestamp() THEN t.restricted_until
    WHEN d.parked_until > clock_timestamp() THEN d.parked_until END AS until
  FROM devices d LEFT JOIN told t ON t.id = d.id
  WHERE d.bridge_address = :address AND d.session <> ALL(CAST(:unheard AS text[]))
),
now AS (
  SELECT d.id, d.can_send AS could_send, d.parked_until AS was_parked_until, parked.until AS parked_until,
         seen.state,
         coalesce(t.connected, false) AS connected,
         coalesce(t.can_send, false) AND parked.until IS NULL AS can_send,
         coalesce(t.qr_required, false) AS qr_required,
         CASE WHEN abs(extract(epoch FROM clock_timestamp() - d.connected_since) - t.age_s) <= 5 THEN d.connected_since
              ELSE clock_timestamp() - make_interval(secs => t.age_s) END AS connected_since,
         coalesce(t.phone, d.phone) AS phone,
         CASE WHEN t.can_send AND parked.until IS NULL THEN NULL
              WHEN t.can_send THEN d.error_code
              WHEN seen.state = ANY(:codes) THEN seen.state
              WHEN t.restricted_until IS NOT NULL THEN 'restricted'
              WHEN t.qr_required THEN 'qr_required'
              ELSE 'not_connected' END AS error_code,
         CASE WHEN t.can_send AND parked.until IS NULL THEN NULL
              WHEN t.can_send THEN d.error_reason ELSE t.error END AS error_reason,
         t.restricted_until,
         NOT coalesce(t.can_send, false) AND (d.can_send OR d.next_check_at <= clock_timestamp()) AS struck,
         CASE WHEN seen.state = ANY(:coming) THEN :coming_look_s
              ELSE :first_look_s * (d.strikes + 1) END AS look_s
  FROM parked JOIN devices d ON d.id = parked.id CROSS JOIN bridge LEFT JOIN told t ON t.id = d.id
  CROSS JOIN LATERAL (
    SELECT CASE WHEN d.provider <> bridge.provider THEN 'wrong_bridge' ELSE coalesce(t.state, 'no_session') END AS state
  ) AS seen
)
UPDATE devices d SET
  state = now.state, connected = now.connected, can_send = now.can_send, qr_required = now.qr_required,
  connected_since = now.connected_since, phone = now.phone, restricted_until = now.restricted_until,
  parked_until = now.parked_until,
  error_code = now.error_code, error_reason = now.error_reason,
  strikes = CASE WHEN now.parked_until IS NOT NULL THEN greatest(d.strikes, :out)
                 WHEN now.struck THEN greatest(d.strikes, least(d.strikes + 1, :out)) ELSE d.strikes END,
  next_check_at = CASE
    WHEN now.parked_until IS NOT NULL THEN now.parked_until
    WHEN now.can_send OR d.strikes + now.struck::int >= :out THEN 'infinity'
    WHEN now.struck THEN clock_timestamp() + make_interval(secs => now.look_s)
    ELSE least(d.next_check_at, clock_timestamp() + make_interval(secs => now.look_s)) END
FROM now
-- Who was parked since this look began to be written is left to the next one.
WHERE d.id = now.id AND d.parked_until IS NOT DISTINCT FROM now.was_parked_until AND (
  d.next_check_at <= clock_timestamp()
  OR (d.state, d.connected, d.can_send, d.qr_required) IS DISTINCT FROM
     (now.state, now.connected, now.can_send, now.qr_required)
  OR (d.connected_since, d.phone, d.restricted_until, d.parked_until) IS DISTINCT FROM
     (now.connected_since, now.phone, now.restricted_until, now.parked_until))
RETURNING d.id, d.session, d.can_send, now.could_send
