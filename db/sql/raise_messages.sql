-- Receipts about attempts, merged: a message may only rise (design: order of certainty), a time once learned is kept.
-- The caller has locked these messages in order of id.
UPDATE messages m SET
  status = CASE WHEN message_rank(f.status) > message_rank(m.status) THEN f.status ELSE m.status END,
  sent_at = coalesce(m.sent_at, f.sent_at),
  delivered_at = coalesce(m.delivered_at, f.delivered_at),
  read_at = coalesce(m.read_at, f.read_at)
FROM unnest(
  CAST(:ids AS bigint[]), CAST(:statuses AS text[]),
  CAST(:sent AS timestamptz[]), CAST(:delivered AS timestamptz[]), CAST(:read AS timestamptz[])
) AS f (id, status, sent_at, delivered_at, read_at)
WHERE m.id = f.id AND m.status NOT IN ('cancelled', 'suppressed') OR m.id = f.id AND f.status IN ('delivered', 'read')
