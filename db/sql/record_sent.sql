-- Record that an attempt went out. Guarded by key and lease: no row is returned when the lease is over and the message
-- is no longer ours; then the result counts like a receipt (raise_messages).
-- The message's row comes before the attempt's, as everywhere, so that a receipt and a record cannot deadlock.
WITH message AS (
  UPDATE messages SET
    status = CASE WHEN status = 'processing' THEN 'sent' ELSE status END,
    slot = NULL, lease_until = NULL
  -- "+ 0" keeps the planner from messages_slot_key: it looks small, but is all that is in flight and what was of late.
  WHERE id = :message_id AND attempt = :attempt AND slot + 0 IS NOT NULL AND lease_until > clock_timestamp()
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
  -- One good send clears the strikes.
  UPDATE devices SET
    next_send_at = greatest(next_send_at, clock_timestamp() + make_interval(secs => :hold_s)),
    strikes = 0
  WHERE id = :device_id
    AND (next_send_at < clock_timestamp() + make_interval(secs => :hold_s) OR strikes > 0)
  RETURNING next_send_at
)
SELECT (SELECT count(*) FROM message) AS recorded, (SELECT next_send_at FROM device) AS next_send_at
