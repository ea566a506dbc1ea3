-- Record that the provider has taken an attempt, of which an event will tell what came: the slot is free, the message is not
-- done. It waits for that event until its new lease is over. Guarded like record_sent, of which it is the half: no strike is
-- cleared, because the event may say that the device cannot send.
WITH message AS (
  UPDATE messages SET
    slot = NULL,
    -- An event may have been quicker.
    lease_until = CASE WHEN status = 'processing' THEN clock_timestamp() + time_for_word() END,
    accepted_at = CASE WHEN status = 'processing' THEN clock_timestamp() END
  WHERE id = :message_id AND attempt = :attempt AND lease_until > clock_timestamp()
  RETURNING id
),
attempt AS (
  UPDATE attempts SET provider_message_id = :provider_message_id, finished_at = clock_timestamp()
  WHERE message_id = :message_id AND number = :attempt AND (SELECT count(*) FROM message) >= 0
)
SELECT count(*) AS recorded FROM message
