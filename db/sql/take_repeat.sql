-- Take the right to launch this content: one row per content, taken by whoever comes first; returns no row to the others.
-- There is no time bucket, so no boundary on either side of which two launches could both be first.
INSERT INTO idempotency AS i (workspace_id, key, request_hash, campaign_id, launched_at)
VALUES (:workspace_id, :key, '', :campaign_id, clock_timestamp())
ON CONFLICT (workspace_id, key) DO UPDATE SET campaign_id = excluded.campaign_id, launched_at = excluded.launched_at
WHERE i.launched_at < clock_timestamp() - make_interval(secs => :within_s)
   OR (SELECT status FROM campaigns WHERE id = i.campaign_id) IN ('cancelled', 'failed')
RETURNING i.campaign_id
