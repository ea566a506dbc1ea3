-- The people of an upload join the book. Whoever is there already keeps what is known and gains what is new.
WITH saved AS (
  INSERT INTO leads AS l (workspace_id, phone, name, attributes)
  SELECT :workspace_id, phone, name, variables FROM launch_people
  ON CONFLICT (workspace_id, phone) DO UPDATE SET
    name = coalesce(l.name, excluded.name), attributes = l.attributes || excluded.attributes
  RETURNING id, phone
)
UPDATE launch_people p SET lead_id = saved.id FROM saved WHERE saved.phone = p.phone
