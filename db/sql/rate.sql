-- How many a minute a campaign sends now: over the last three whole minutes, or over as many of them as it has run; in its
-- first minute over the time from its start to the last count. Null when that is too short to tell, or when the last
-- count is too old to be called now.
SELECT CASE WHEN span.seconds >= 10 AND mark.at > clock_timestamp() - interval '1 minute' THEN
         60 * coalesce((
           SELECT sum(n.sent) FROM minute_counts n
           WHERE n.minute >= date_trunc('minute', span.since) AND n.minute < span.until
             AND n.workspace_id = c.workspace_id AND n.campaign_id = c.id), 0)::float8 / span.seconds
       END AS rate
FROM campaigns c
JOIN marks mark ON mark.name = 'minutes'
CROSS JOIN LATERAL (
  SELECT date_trunc('minute', mark.at) AS minute,
         greatest(c.started_at, date_trunc('minute', mark.at) - interval '3 minutes') AS since
) last
CROSS JOIN LATERAL (
  SELECT last.since,
         CASE WHEN last.minute - last.since >= interval '1 minute' THEN last.minute ELSE mark.at END AS until
) part
CROSS JOIN LATERAL (
  SELECT part.since, part.until, extract(epoch FROM part.until - part.since)::float8 AS seconds
) span
WHERE c.id = :campaign_id AND c.started_at IS NOT NULL
