-- Which of :device_ids can send each of these messages as far as its content goes: a template of Meta's where the device's
-- business account has it approved; free text, from official numbers, where the person's window is open. One row for each
-- set of devices, with the messages that all of them can send; messages that none can send are left out.
WITH device AS MATERIALIZED (
  SELECT d.id, d.provider, n.business_id
  FROM devices d LEFT JOIN cloud_numbers n ON n.device_id = d.id
  WHERE d.id = ANY(:device_ids)
),
campaign AS MATERIALIZED (
  -- Read once for all of its messages: what fills a template is long.
  SELECT c.id, c.template ->> 'name' AS name, c.template ->> 'language' AS language
  FROM campaigns c WHERE c.id IN (SELECT m.campaign_id FROM messages m WHERE m.id = ANY(:message_ids))
),
wanted AS MATERIALIZED (
  SELECT m.id, m.phone, coalesce(m.template ->> 'name', c.name) AS name,
         coalesce(m.template ->> 'language', c.language) AS language
  FROM messages m LEFT JOIN campaign c ON c.id = m.campaign_id
  WHERE m.id = ANY(:message_ids)
),
fitting AS (
  SELECT w.id, device.id AS device_id FROM wanted w, device WHERE w.name IS NULL AND device.provider <> 'cloud'
  UNION ALL
  SELECT w.id, c.device_id FROM wanted w
  JOIN conversations c ON c.phone = w.phone AND c.last_inbound_at > clock_timestamp() - make_interval(secs => :open_s)
  JOIN device ON device.id = c.device_id
  WHERE w.name IS NULL AND device.provider = 'cloud'
  UNION ALL
  SELECT w.id, device.id FROM wanted w
  JOIN templates t ON t.name = w.name AND t.language = w.language AND t.status = 'APPROVED'
  JOIN device ON device.business_id = t.business_id
)
SELECT device_ids, array_agg(id ORDER BY id) AS message_ids
FROM (SELECT id, array_agg(device_id ORDER BY device_id) AS device_ids FROM fitting GROUP BY id) each
GROUP BY device_ids
ORDER BY min(id)
