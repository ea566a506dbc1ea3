-- What was sent and failed per minute, averaged over each bucket, up to the last minute that was counted whole. A minute
-- without a row is 0; with no count for a while the rows end where it ended, since nobody knows what was sent since.
WITH span AS (
  SELECT date_trunc('minute', at) AS until,
         date_bin(make_interval(mins => :bucket), date_trunc('minute', at) - make_interval(hours => :hours), 'epoch') AS since
  FROM marks WHERE name = 'minutes'
),
counted AS (
  SELECT minute, sum(sent) AS sent, sum(failed) AS failed
  FROM minute_counts
  WHERE workspace_id = :workspace_id AND minute >= (SELECT since FROM span)
    AND (CAST(:campaign_id AS bigint) IS NULL OR campaign_id = :campaign_id)
  GROUP BY minute
)
SELECT date_bin(make_interval(mins => :bucket), minute, 'epoch') AS at,
       avg(coalesce(sent, 0))::float8 AS sent, avg(coalesce(failed, 0))::float8 AS failed
FROM span
CROSS JOIN LATERAL generate_series(since, until - interval '1 minute', interval '1 minute') AS each (minute)
LEFT JOIN counted USING (minute)
GROUP BY 1
ORDER BY 1
