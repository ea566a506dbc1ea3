-- Those of these devices of which this event is the latest alert: of these kinds, or that tells this figure.
SELECT device_id FROM (
  SELECT DISTINCT ON (device_id) device_id, event_id FROM alerts
  WHERE device_id = ANY(:device_ids) AND (kind = ANY(:kinds) OR details -> :figure IS NOT NULL)
  ORDER BY device_id, at DESC, id DESC
) latest
WHERE event_id = :event_id
ORDER BY device_id
