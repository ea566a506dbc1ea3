"""A message that may have gone out does not end as one that was not sent to."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Cancelled and suppressed say that nothing was sent. Of a message that somebody had queued again although an attempt was in
# doubt, and that ends before it goes out anew, nobody can say that. The trigger's name comes before messages_guard, which then
# judges the move that is made; one whose present attempt is not proven is left for it to refuse.
DOUBT = """
CREATE FUNCTION end_in_doubt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF has_unproven_attempt(OLD.id) AND (OLD.status = 'queued' OR EXISTS (
       SELECT 1 FROM attempts WHERE message_id = OLD.id AND number = OLD.attempt AND outcome = 'not_sent')) THEN
    NEW.status := 'unknown';
    NEW.error_code := 'outcome_unknown';
    NEW.error_reason := NULL;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER messages_doubt BEFORE UPDATE OF status ON messages
FOR EACH ROW WHEN (OLD.status IN ('queued', 'processing') AND NEW.status IN ('cancelled', 'suppressed') AND OLD.attempt > 0)
EXECUTE FUNCTION end_in_doubt();
"""


def upgrade() -> None:
    op.execute(DOUBT)
