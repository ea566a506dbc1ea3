-- A draft's file without its content, which may be large; its beginning is enough to tell which encoding is right.
SELECT f.name, length(f.content) AS size, substring(f.content FOR :beginning) AS beginning, f.encoding, f.delimiter,
       f.phone_column, f.name_column, f.found
FROM draft_files f JOIN campaigns c ON c.id = f.campaign_id
WHERE c.id = :id AND c.workspace_id = :workspace_id AND c.status = 'draft'
