-- The devices that an alert concerns, locked: all of a business account, the one whose id is told, or the one that is told by
-- how its number is written, among those of its account. A device may be known by a number written in another way.
SELECT d.id, d.session FROM devices d JOIN cloud_numbers n ON n.device_id = d.id
WHERE CASE WHEN CAST(:business AS boolean) THEN n.business_id = :session
  ELSE d.session = :session
    OR n.business_id = :session AND regexp_replace(d.phone, '[^0-9]', '', 'g') = nullif(:digits, '') END
ORDER BY d.id
FOR NO KEY UPDATE OF d
