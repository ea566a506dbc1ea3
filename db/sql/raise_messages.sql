-- Receipts about attempts, merged: a message may only rise (design: order of certainty), and of two times for the same fact
-- the earlier one stands, so that the order in which receipts come does not matter.
-- The caller has locked these messages in order of id.
UPDATE messages m SET
  status = CASE WHEN message_rank(f.status) > message_rank(m.status) THEN f.status ELSE m.status END,
  -- What the provider had taken has waited for this; what a worker holds, that worker lets go.
  lease_until = CASE WHEN m.slot IS NOT NULL THEN m.lease_until END,
  sent_at = least(m.sent_at, f.sent_at),
  delivered_at = least(m.delivered_at, f.delivered_at),
  read_at = least(m.read_at, f.read_at)
FROM unnest(
  CAST(:ids AS bigint[]), CAST(:statuses AS text[]),
  CAST(:sent AS timestamptz[]), CAST(:delivered AS timestamptz[]), CAST(:read AS timestamptz[])
) AS f (id, status, sent_at, delivered_at, read_at)
WHERE m.id = f.id AND m.status NOT IN ('cancelled', 'suppressed') OR m.id = f.id AND f.status IN ('delivered', 'read')
