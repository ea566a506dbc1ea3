-- Record that an attempt went out. Guarded by key and lease: no row is returned when the lease is over and the message
-- is no longer ours; then the result counts like a receipt (raise_messages).
-- The message's row comes before the attempt's, as everywhere, so that a receipt and a record cannot deadlock.
WITH message AS (
  UPDATE messages SET
    status = CASE WHEN status = 'processing' THEN 'sent' ELSE status END,
    slot = NULL, lease_until = NULL
  -- What was settled has neither slot nor lease.
  WHERE id = :message_id AND attempt = :attempt AND lease_until > clock_timestamp()
  RETURNING id
),
attempt AS (
  UPDATE attempts SET
    outcome = CASE WHEN outcome_rank(outcome) < outcome_rank('sent') THEN 'sent' ELSE outcome END,
    provider_message_id = :provider_message_id,
    finished_at = clock_timestamp()
  WHERE message_id = :message_id AND number = :attempt AND (SELECT count(*) FROM message) >= 0
),
device AS (
  -- The gap counts from the hand-over, not from the begin: a worker that was held up in between must not shorten it.
  -- One that keeps a rate (begin.sql) has moved it by all that it should.
  -- One good send clears the strikes, unless it is known since that the device cannot send: who is out stays out.
  UPDATE devices SET
    next_send_at = CASE WHEN in_flight_limit = 1
      THEN greatest(next_send_at, clock_timestamp() + make_interval(secs => :hold_s)) ELSE next_send_at END,
    strikes = CASE WHEN can_send THEN 0 ELSE strikes END
  WHERE id = :device_id
    AND (in_flight_limit = 1 AND next_send_at < clock_timestamp() + make_interval(secs => :hold_s) OR can_send AND strikes > 0)
  RETURNING next_send_at
)
SELECT (SELECT count(*) FROM message) AS recorded, (SELECT next_send_at FROM device) AS next_send_at
