-- Each process with what it has in hand: the messages that it has begun and not recorded, found by the index of slots.
SELECT p.id, p.kind, p.version, p.threads, p.leads, p.started_at, p.seen_at,
       p.seen_at > clock_timestamp() - make_interval(secs => :alive_s) AS alive,
       coalesce((
         SELECT jsonb_agg(jsonb_build_object(
           'message_id', m.id, 'device', d.name, 'campaign_id', c.id, 'campaign', c.title,
           'for_s', extract(epoch FROM clock_timestamp() - m.processing_started_at)::float)
           ORDER BY m.processing_started_at)
         FROM messages m JOIN devices d ON d.id = m.device_id LEFT JOIN campaigns c ON c.id = m.campaign_id
         WHERE m.slot IS NOT NULL AND m.status = 'processing' AND m.processing_worker_id = p.id), '[]') AS sending
FROM processes p
ORDER BY p.kind, p.leads DESC, p.id
