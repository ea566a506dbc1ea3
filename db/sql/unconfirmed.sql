-- What the provider took, and of which it has told nothing in time: nobody knows, and a later event may still settle it.
-- What it has told by then is applied first, also after an outage; and what it has told not to have sent is no doubt
-- (refused_later).
WITH message AS (
  UPDATE messages SET status = 'unknown', error_code = 'not_confirmed', error_reason = NULL, lease_until = NULL
  WHERE status = 'processing' AND slot IS NULL AND lease_until < clock_timestamp() AND has_unproven_attempt(id)
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.applied_at IS NULL AND e.received_at <= messages.lease_until)
  RETURNING id, attempt
),
told AS (
  UPDATE attempts a SET outcome = 'unknown', error_code = 'not_confirmed' FROM message
  WHERE a.message_id = message.id AND a.number = message.attempt AND a.outcome = 'begun'
)
SELECT count(*) FROM message
