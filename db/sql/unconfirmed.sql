-- What the provider took, and of which it has told nothing in time: nobody knows, and a later event may still settle it.
WITH message AS (
  UPDATE messages SET status = 'unknown', error_code = 'not_confirmed', error_reason = NULL, lease_until = NULL
  WHERE status = 'processing' AND slot IS NULL AND lease_until < clock_timestamp()
  RETURNING id, attempt
),
told AS (
  UPDATE attempts a SET outcome = 'unknown', error_code = 'not_confirmed' FROM message
  WHERE a.message_id = message.id AND a.number = message.attempt AND a.outcome = 'begun'
)
SELECT count(*) FROM message
