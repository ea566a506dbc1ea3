-- An attempt is proven not sent: its message waits again, or ends. The caller has stored the proof and locked the campaign,
-- so that a cancel cannot pass in between. What was cancelled or suppressed meanwhile ends as that; a message of which
-- another attempt is still in doubt can only end as unknown.
UPDATE messages m SET
  status = CASE
    WHEN m.status <> 'processing' THEN m.status
    WHEN c.status = 'cancelled' THEN 'cancelled'
    WHEN EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone)
      THEN 'suppressed'
    WHEN CAST(:delay_s AS float) IS NOT NULL AND (c.id IS NULL OR c.status IN ('queued', 'running', 'paused'))
      THEN 'queued'
    WHEN has_unproven_attempt(m.id) THEN 'unknown'
    ELSE 'failed' END,
  attempts_used = m.attempts_used + :used,
  due_at = CASE WHEN CAST(:delay_s AS float) IS NULL THEN m.due_at
           ELSE clock_timestamp() + make_interval(secs => :delay_s) END,
  error_code = CASE WHEN m.status = 'processing' THEN :code ELSE m.error_code END,
  error_reason = CASE WHEN m.status = 'processing' THEN :reason ELSE m.error_reason END,
  slot = NULL, lease_until = NULL
FROM messages self LEFT JOIN campaigns c ON c.id = self.campaign_id
WHERE m.id = :message_id AND self.id = m.id AND m.attempt = :attempt
  -- What was settled has neither slot nor lease.
  AND (m.lease_until > clock_timestamp()) = :lease_holds
RETURNING m.status
