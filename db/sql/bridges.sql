-- The bridges that devices use, those that are away first.
SELECT b.address, b.away_since, b.error_code, b.checked_at,
       extract(epoch FROM clock_timestamp() - b.checked_at)::float AS checked_ago_s, d.devices
FROM bridges b
JOIN (SELECT bridge_address, count(*) AS devices FROM devices GROUP BY bridge_address) d ON d.bridge_address = b.address
ORDER BY b.away_since NULLS LAST, b.address
