-- The campaign that the same content made recently. A first launch that was cancelled or failed does not count.
SELECT i.campaign_id FROM idempotency i JOIN campaigns c ON c.id = i.campaign_id
WHERE i.workspace_id = :workspace_id AND i.key = :key
  AND i.launched_at >= clock_timestamp() - make_interval(secs => :within_s)
  AND c.status NOT IN ('cancelled', 'failed')
