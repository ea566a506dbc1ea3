-- The templates of a business account as Meta has just told them: those that are new, and what is new of the others.
INSERT INTO templates (business_id, name, language, status, category, parameter_format, components, synced_at)
SELECT :business_id, t.name, t.language, t.status, t.category, t.parameter_format, t.components, clock_timestamp()
FROM unnest(
  CAST(:names AS text[]), CAST(:languages AS text[]), CAST(:status_of AS text[]), CAST(:category_of AS text[]),
  CAST(:parameter_format_of AS text[]), CAST(:components_of AS jsonb[])
) AS t (name, language, status, category, parameter_format, components)
-- Two that do this at once lock the rows in one order.
ORDER BY t.name, t.language
ON CONFLICT (business_id, name, language) DO UPDATE SET
  status = excluded.status, category = excluded.category, parameter_format = excluded.parameter_format,
  components = excluded.components, synced_at = excluded.synced_at
