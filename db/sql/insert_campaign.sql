-- A launched campaign, with the id under which its idempotency row already stands.
INSERT INTO campaigns (id, workspace_id, title, message, status, scheduled_at, min_delay_s, max_delay_s, job_id, headers,
                       phone_header, device_ids, save_leads, template)
OVERRIDING SYSTEM VALUE
VALUES (:id, :workspace_id, :title, :message,
        CASE WHEN CAST(:scheduled_at AS timestamptz) > clock_timestamp() THEN 'scheduled' ELSE 'accepted' END,
        :scheduled_at, :min_delay_s, :max_delay_s, CAST(:job_id AS uuid), CAST(:headers AS jsonb), :phone_header,
        CAST(:device_ids AS bigint[]), :save_leads, CAST(:template AS jsonb))
