-- Who of a draft's people will receive it. :columns are the names in ``variables`` that everybody needs a value of; values are
-- stored only where there is one. Who has opted out counts as that, whatever else he lacks, so that all sums add up.
-- With :window_devices it is free text from these official numbers, and needs an open window with one of them at its start.
WITH people AS MATERIALIZED (
  SELECT p.phone, p.name, p.variables, p.warning, s.phone IS NOT NULL AS opted_out,
         :all_lack OR NOT p.variables ?& CAST(:columns AS text[]) AS lacking
  FROM draft_people p
  LEFT JOIN suppressions s ON s.workspace_id = :workspace_id AND s.phone = p.phone
  WHERE p.campaign_id = :id
)
SELECT count(*) FILTER (WHERE NOT opted_out) AS people,
       count(*) FILTER (WHERE NOT opted_out AND NOT lacking) AS will_receive,
       count(*) FILTER (WHERE opted_out) AS opted_out,
       CASE WHEN CAST(:window_devices AS bigint[]) IS NULL THEN 0 ELSE (
          SELECT count(*) FROM people WHERE NOT opted_out AND NOT lacking AND NOT EXISTS (
            SELECT 1 FROM conversations c
            WHERE c.phone = people.phone AND c.device_id = ANY(CAST(:window_devices AS bigint[]))
              AND c.last_inbound_at > greatest(clock_timestamp(), CAST(:starts_at AS timestamptz))
                                      - make_interval(secs => :open_s))) END AS outside_window,
       count(*) FILTER (WHERE NOT opted_out AND lacking) AS lacking,
       (SELECT coalesce(jsonb_object_agg(name, n), '{}') FROM (
          SELECT needed.name, count(people.variables) AS n
          FROM unnest(CAST(:columns AS text[])) AS needed (name)
          LEFT JOIN people ON NOT opted_out AND NOT people.variables ? needed.name
          GROUP BY needed.name) counted) AS lacking_of,
       (SELECT coalesce(jsonb_object_agg(warning, n), '{}') FROM (
          SELECT warning, count(*) AS n FROM people
          WHERE warning IS NOT NULL AND NOT opted_out AND NOT lacking GROUP BY warning) warned) AS warnings,
       count(name) > 0 AS names
FROM people
