-- The people of another campaign: those of a draft, or those whom a launched one has messages to. Never both: a launch makes
-- the ones of the others.
INSERT INTO draft_people (campaign_id, row, phone, name, variables, warning)
SELECT :to_id, row, phone, name, variables, warning FROM draft_people WHERE campaign_id = :from_id
UNION ALL
SELECT :to_id, row_number() OVER (ORDER BY row, id), phone, name, variables, NULL FROM messages WHERE campaign_id = :from_id
