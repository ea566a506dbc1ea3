-- Who did not get a campaign, or perhaps not, by code. The rules of the database let nothing fail of which an attempt is in
-- doubt, so only unknown messages are asked about their attempts: a late receipt may have proven them not sent.
SELECT code, doubt, count(*) AS people,
       count(*) FILTER (WHERE NOT doubt AND NOT never_send) AS retryable,
       count(*) FILTER (WHERE doubt AND undecided AND NOT awaited AND NOT never_send) AS undecided,
       count(*) FILTER (WHERE doubt AND awaited) AS awaited
FROM (
  SELECT m.error_code AS code,
         CASE WHEN m.status = 'unknown' THEN has_unproven_attempt(m.id) ELSE false END AS doubt,
         m.doubt_left_by IS NULL AS undecided,
         CASE WHEN m.status = 'unknown' THEN awaits_word(m.id, m.attempt) ELSE false END AS awaited,
         s.phone IS NOT NULL AS never_send
  FROM messages m
  LEFT JOIN suppressions s ON s.workspace_id = m.workspace_id AND s.phone = m.phone
  WHERE m.campaign_id = :campaign_id AND m.status IN ('failed', 'unknown')
) missed
GROUP BY code, doubt
