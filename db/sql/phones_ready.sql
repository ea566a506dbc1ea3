-- How many phones there are, how many can send, and what waits on those that cannot.
SELECT count(*) AS phones,
       count(*) FILTER (WHERE ready) AS ready,
       coalesce(sum(waiting.n) FILTER (WHERE NOT ready), 0)::bigint AS waiting_stuck
FROM (
  SELECT d.id, d.can_send AND b.away_since IS NULL AS ready
  FROM devices d JOIN bridges b ON b.address = d.bridge_address
  WHERE d.workspace_id = :workspace_id
) phone
LEFT JOIN LATERAL (
  SELECT count(*) AS n FROM messages m WHERE NOT phone.ready AND m.device_id = phone.id AND m.status = 'queued'
) waiting ON true
