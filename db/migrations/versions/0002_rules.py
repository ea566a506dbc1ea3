"""The rules that hold whoever writes: which moves a campaign, a message and an attempt can make (design: states)."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CAMPAIGNS = """
CREATE FUNCTION guard_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status || '>' || NEW.status NOT IN (
    'draft>scheduled', 'draft>accepted', 'draft>cancelled',
    'scheduled>accepted', 'scheduled>failed', 'scheduled>cancelled',
    'accepted>queued', 'accepted>failed', 'accepted>cancelled',
    'queued>running', 'queued>failed', 'queued>cancelled',
    'running>paused', 'running>completed', 'running>partial', 'running>failed', 'running>cancelled',
    'paused>running', 'paused>completed', 'paused>partial', 'paused>failed', 'paused>cancelled',
    'failed>partial', 'failed>completed', 'failed>running',
    'partial>completed', 'partial>running'
  ) THEN
    RAISE EXCEPTION 'campaign % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status IN ('failed', 'partial') AND NEW.status = 'running'
     AND NEW.reopened_by IS NOT DISTINCT FROM OLD.reopened_by THEN
    RAISE EXCEPTION 'campaign % is reopened only by an audited retry', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status <> 'paused' THEN NEW.pause_reason := NULL; END IF;
  IF NEW.status <> 'failed' THEN NEW.error_code := NULL; NEW.error_reason := NULL; END IF;
  IF NEW.status IN ('completed', 'partial', 'failed', 'cancelled') THEN
    NEW.finished_at := coalesce(NEW.finished_at, clock_timestamp());
  ELSE
    NEW.finished_at := NULL;
  END IF;
  IF NEW.status = 'queued' THEN NEW.queued_at := coalesce(NEW.queued_at, clock_timestamp()); END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER campaigns_guard BEFORE UPDATE OF status ON campaigns
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION guard_campaign();

CREATE FUNCTION guard_new_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a campaign begins as draft, scheduled or accepted, not as %', NEW.status
    USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER campaigns_guard_new BEFORE INSERT ON campaigns
FOR EACH ROW WHEN (NEW.status NOT IN ('draft', 'scheduled', 'accepted')) EXECUTE FUNCTION guard_new_campaign();

-- A campaign that fails or is cancelled ends its waiting messages in the same transaction, whoever moved it. Triggers fire in
-- the order of their names: the messages come before the campaign's devices, as they do in begin, so that the end of a busy
-- campaign and its begins wait for each other and do not deadlock.
CREATE FUNCTION end_waiting_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE messages SET
    status = CASE
      WHEN NEW.status = 'cancelled' THEN 'cancelled'
      WHEN attempt > 0 AND EXISTS (
        SELECT 1 FROM attempts a WHERE a.message_id = messages.id AND a.outcome <> 'not_sent') THEN 'unknown'
      ELSE 'failed' END,
    error_code = CASE WHEN NEW.status = 'cancelled' THEN 'cancelled' ELSE NEW.error_code END,
    error_reason = CASE WHEN NEW.status = 'cancelled' THEN NULL ELSE NEW.error_reason END
  WHERE campaign_id = NEW.id AND status = 'queued';
  RETURN NULL;
END $$;

CREATE TRIGGER campaigns_end AFTER UPDATE OF status ON campaigns
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('cancelled', 'failed'))
EXECUTE FUNCTION end_waiting_messages();

CREATE FUNCTION mirror_campaign_active() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE campaign_devices SET active = NEW.status IN ('queued', 'running') WHERE campaign_id = NEW.id;
  RETURN NULL;
END $$;

CREATE TRIGGER campaigns_mirror_active AFTER UPDATE OF status ON campaigns
FOR EACH ROW
WHEN ((OLD.status IN ('queued', 'running')) IS DISTINCT FROM (NEW.status IN ('queued', 'running')))
EXECUTE FUNCTION mirror_campaign_active();
"""

MESSAGES = """
CREATE FUNCTION has_unproven_attempt(message bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM attempts WHERE message_id = message AND outcome <> 'not_sent')
$$;

CREATE FUNCTION guard_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.device_id IS DISTINCT FROM OLD.device_id THEN
    IF OLD.status <> 'queued' OR NEW.status <> 'queued' THEN
      RAISE EXCEPTION 'message % changes device only while queued', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.attempt > 0 AND has_unproven_attempt(OLD.id) THEN
      RAISE EXCEPTION 'message % changes device only when every attempt is proven not sent', OLD.id
        USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  IF NEW.status = OLD.status THEN
    RETURN NEW;
  END IF;

  IF OLD.status || '>' || NEW.status NOT IN (
    'queued>processing', 'queued>failed', 'queued>cancelled', 'queued>suppressed',
    'queued>sent', 'queued>delivered', 'queued>read', 'queued>unknown',
    'processing>sent', 'processing>delivered', 'processing>read', 'processing>failed', 'processing>unknown',
    'processing>queued', 'processing>cancelled', 'processing>suppressed',
    'sent>delivered', 'sent>read', 'delivered>read',
    'unknown>sent', 'unknown>delivered', 'unknown>read', 'unknown>queued',
    'failed>sent', 'failed>delivered', 'failed>read', 'failed>queued',
    'cancelled>delivered', 'cancelled>read', 'suppressed>delivered', 'suppressed>read'
  ) THEN
    RAISE EXCEPTION 'message % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;

  -- Only an attempt can reach a person or leave doubt: a message that never had one can do neither.
  IF OLD.status = 'queued' AND OLD.attempt = 0 AND NEW.status IN ('sent', 'delivered', 'read', 'unknown') THEN
    RAISE EXCEPTION 'message % was never attempted', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'processing' AND NEW.attempt <> OLD.attempt + 1 THEN
    RAISE EXCEPTION 'message % begins attempt %, not %', OLD.id, OLD.attempt + 1, NEW.attempt
      USING ERRCODE = 'check_violation';
  END IF;

  -- Down, or to "not sent" at all, only with proof; from unknown only by a person's audited decision.
  IF (OLD.status = 'processing' AND NEW.status IN ('queued', 'cancelled', 'suppressed', 'failed') AND NOT EXISTS (
        SELECT 1 FROM attempts WHERE message_id = OLD.id AND number = OLD.attempt AND outcome = 'not_sent'))
     OR (NEW.status = 'failed' AND OLD.attempt > 0 AND has_unproven_attempt(OLD.id))
     OR (OLD.status = 'failed' AND NEW.status = 'queued' AND has_unproven_attempt(OLD.id)) THEN
    RAISE EXCEPTION 'message % goes from % to % only with proof that it was not sent', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status = 'unknown' AND NEW.status = 'queued' AND NEW.requeued_by IS NOT DISTINCT FROM OLD.requeued_by THEN
    RAISE EXCEPTION 'message % may double: it is queued again only by an audited decision', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;

  -- Each state has its time; a state that is left takes its bad news with it. What was read had been delivered by then,
  -- and sent.
  IF NEW.status = 'read' THEN NEW.read_at := coalesce(NEW.read_at, clock_timestamp()); END IF;
  IF NEW.status IN ('delivered', 'read') THEN
    NEW.delivered_at := coalesce(NEW.delivered_at, NEW.read_at, clock_timestamp());
  END IF;
  IF NEW.status IN ('sent', 'delivered', 'read') THEN
    NEW.sent_at := coalesce(NEW.sent_at, NEW.delivered_at, clock_timestamp());
    NEW.error_code := NULL;
    NEW.error_reason := NULL;
  END IF;
  NEW.unknown_at := CASE WHEN NEW.status = 'unknown' THEN clock_timestamp() END;
  NEW.failed_at := CASE WHEN NEW.status = 'failed' THEN clock_timestamp() END;
  NEW.cancelled_at := CASE WHEN NEW.status = 'cancelled' THEN clock_timestamp() END;
  NEW.suppressed_at := CASE WHEN NEW.status = 'suppressed' THEN clock_timestamp() END;
  RETURN NEW;
END $$;

CREATE TRIGGER messages_guard BEFORE UPDATE OF status, device_id ON messages
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.device_id IS DISTINCT FROM NEW.device_id)
EXECUTE FUNCTION guard_message();

CREATE FUNCTION guard_new_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a message begins as queued or suppressed and without attempts, not as %', NEW.status
    USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER messages_guard_new BEFORE INSERT ON messages
FOR EACH ROW WHEN (NEW.status NOT IN ('queued', 'suppressed') OR NEW.attempt <> 0)
EXECUTE FUNCTION guard_new_message();
"""

ATTEMPTS = """
-- How sure a state is. Cancelled and suppressed stand level with sent: only delivered and read beat them.
CREATE FUNCTION message_rank(status text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE status
    WHEN 'queued' THEN 0 WHEN 'processing' THEN 0 WHEN 'failed' THEN 1 WHEN 'unknown' THEN 2
    WHEN 'sent' THEN 3 WHEN 'cancelled' THEN 3 WHEN 'suppressed' THEN 3
    WHEN 'delivered' THEN 4 WHEN 'read' THEN 5 END
$$;

CREATE FUNCTION outcome_rank(outcome text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_position(ARRAY['begun', 'unknown', 'not_sent', 'sent', 'delivered', 'read'], outcome)
$$;

CREATE FUNCTION guard_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'attempt %.% is known to be %, and cannot become %', OLD.message_id, OLD.number, OLD.outcome, NEW.outcome
    USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER attempts_guard BEFORE UPDATE OF outcome ON attempts
FOR EACH ROW WHEN (outcome_rank(NEW.outcome) < outcome_rank(OLD.outcome)) EXECUTE FUNCTION guard_attempt();
"""


def upgrade() -> None:
    op.execute(CAMPAIGNS)
    op.execute(MESSAGES)
    op.execute(ATTEMPTS)
    op.execute("INSERT INTO bridges (address) VALUES ('default')")
