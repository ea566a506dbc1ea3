-- Take an Idempotency-Key: one row per key, for whoever comes first; returns no row to the others while it is kept.
INSERT INTO idempotency AS i (workspace_id, key, request_hash)
VALUES (:workspace_id, :key, :request_hash)
ON CONFLICT (workspace_id, key) DO UPDATE
  SET request_hash = excluded.request_hash, answer = NULL, launched_at = excluded.launched_at
  WHERE i.launched_at < clock_timestamp() - make_interval(secs => :kept_s)
RETURNING true
