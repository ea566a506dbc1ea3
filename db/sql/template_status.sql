-- A template has another state, unless a later alert has told another, or a later look at all templates. Such a look is
-- written down some seconds after it was asked for, so one that is hardly later may not have known of this.
UPDATE templates t SET status = :status
WHERE t.business_id = :business_id AND t.name = :name AND t.language = :language
  AND t.synced_at < :at + make_interval(secs => :sync_s)
  AND NOT EXISTS (
    SELECT 1 FROM alerts a
    WHERE a.device_id = ANY(:device_ids) AND a.kind = 'template' AND a.at > :at
      AND a.details ->> 'name' = t.name AND a.details ->> 'language' = t.language
      AND a.details ->> 'event' = ANY(:events))
