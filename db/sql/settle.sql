-- Recovery found that an attempt went out, or that nobody knows. Only while it is still this attempt, whose lease was over
-- when recovery found it: a lease that is over stays over.
WITH message AS (
  UPDATE messages SET
    status = :outcome, slot = NULL, lease_until = NULL, error_reason = NULL,
    -- A receipt may have come since, that it was not sent after all.
    error_code = CASE WHEN :outcome = 'unknown' AND NOT has_unproven_attempt(id) THEN 'not_sent_after_all' ELSE :code END
  WHERE id = :message_id AND attempt = :attempt AND status = 'processing'
  RETURNING status
),
attempt AS (
  UPDATE attempts SET
    outcome = :outcome, finished_at = clock_timestamp(),
    provider_message_id = coalesce(:provider_message_id, provider_message_id),
    error_code = coalesce(error_code, :code)
  FROM message
  WHERE message_id = :message_id AND number = :attempt AND outcome_rank(outcome) <= outcome_rank(:outcome)
),
device AS (
  UPDATE devices SET next_send_at = greatest(next_send_at, clock_timestamp() + make_interval(secs => max_gap_s))
  FROM message WHERE devices.id = :device_id
)
SELECT status FROM message
