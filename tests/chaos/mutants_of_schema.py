"""What is there once: unique keys, and who takes them first."""

from __future__ import annotations

from tests.chaos.mutating import Mutant

TABLES = "db/migrations/versions/0001_tables.py"
TAKE_REPEAT = "db/sql/take_repeat.sql"
REPEATS = "services/repeats.py"
STATES = "tests/integration/test_states.py"
KEYS = "tests/integration/test_unique_keys.py"
LAUNCHES = "tests/integration/test_launch_repeats.py"
REQUESTS = "tests/api/test_api_repeats.py"

MUTANTS = (
    Mutant(
        "messages-slot-key",
        "One send in a slot of a phone, whatever the mutex and the queue do.",
        TABLES,
        '["device_id", "slot"],\n        unique=True,',
        '["device_id", "slot"],\n        unique=False,',
        f"{STATES}::test_one_slot_of_a_device_holds_one_send",
    ),
    Mutant(
        "messages-person-key",
        "A campaign has a person once.",
        "db/migrations/versions/0003_campaign_indexes.py",
        '["campaign_id", "phone"], unique=True,',
        '["campaign_id", "phone"], unique=False,',
        f"{STATES}::test_a_campaign_has_a_person_once",
    ),
    Mutant(
        "attempts-pkey",
        "An attempt, and with it a send key, is there once.",
        TABLES,
        '        sa.PrimaryKeyConstraint("message_id", "number", name="attempts_pkey"),\n',
        "",
        f"{KEYS}::test_it_is_there_once[attempts_pkey]",
    ),
    Mutant(
        "devices-session-key",
        "Two phones of ours are never one session at the bridge, which would break its pace.",
        TABLES,
        '["bridge_address", "session"], unique=True)',
        '["bridge_address", "session"], unique=False)',
        f"{KEYS}::test_it_is_there_once[devices_session_key]",
    ),
    Mutant(
        "events-event-id-key",
        "An event that is posted again is the same event.",
        TABLES,
        '        sa.UniqueConstraint("event_id", name="events_event_id_key"),\n',
        "",
        f"{KEYS}::test_it_is_there_once[events_event_id_key]",
    ),
    Mutant(
        "events-on-conflict",
        "An event that is posted again does not take the others of its batch along.",
        "services/receipts.py",
        '            " ON CONFLICT (event_id) DO NOTHING"\n',
        "",
        "tests/integration/test_receipts.py::test_an_event_is_kept_once_and_applied_once",
        error="events_event_id_key",
    ),
    Mutant(
        "idempotency-pkey",
        "The right to launch a content, or to answer a request, is taken once.",
        TABLES,
        '        sa.PrimaryKeyConstraint("workspace_id", "key", name="idempotency_pkey"),\n',
        "",
        f"{KEYS}::test_it_is_there_once[idempotency_pkey]",
    ),
    Mutant(
        "suppressions-pkey",
        "The first proof of a number on the never-send list is kept.",
        TABLES,
        '        sa.PrimaryKeyConstraint("workspace_id", "phone", name="suppressions_pkey"),\n',
        "",
        f"{KEYS}::test_it_is_there_once[suppressions_pkey]",
    ),
    Mutant(
        "repeat-taken",
        "The same launch within ten minutes is the first one.",
        TAKE_REPEAT,
        "WHERE i.launched_at < clock_timestamp() - make_interval(secs => :within_s)\n   OR",
        "WHERE :within_s > 0\n   OR",
        f"{LAUNCHES}::test_nine_minutes_apart_is_one_and_eleven_minutes_are_two",
    ),
    Mutant(
        "repeat-of-an-ended-launch",
        "A first launch that was cancelled or failed does not keep the right.",
        TAKE_REPEAT,
        "\n   OR (SELECT status FROM campaigns WHERE id = i.campaign_id) IN ('cancelled', 'failed')",
        "",
        f"{LAUNCHES}::test_after_a_cancelled_launch_the_next_one_counts",
    ),
    Mutant(
        "repeat-is-answered",
        "Who could not take the right gets the first launch, and makes no second one.",
        "services/launch.py",
        "        if taken is None:\n            return describe",
        "        if taken == -1:\n            return describe",
        f"{LAUNCHES}::test_twenty_threads_at_once_make_one_broadcast",
    ),
    Mutant(
        "request-key-taken",
        "Of requests at the same instant under one key one is done.",
        "db/sql/take_key.sql",
        "  WHERE i.launched_at < clock_timestamp() - make_interval(secs => :kept_s)\n",
        "  WHERE :kept_s > 0\n",
        f"{REQUESTS}::test_twenty_at_once_under_one_key_queue_one_message",
    ),
    Mutant(
        "request-key-answers",
        "Who could not take the key gets the answer that it has.",
        REPEATS,
        "    if taken is None:\n        first",
        "    if taken == -1:\n        first",
        f"{REQUESTS}::test_twenty_at_once_under_one_key_queue_one_message",
    ),
    Mutant(
        "request-hash",
        "Another request under the same key is refused, and not answered with what it did not ask for.",
        REPEATS,
        "if row.request_hash != keyed.request_hash:",
        "if not keyed.request_hash:",
        f"{REQUESTS}::test_the_same_launch_under_one_key_gets_the_same_answer",
    ),
    Mutant(
        "fires-once",
        "Of two dispatchers one fires a campaign whose time has come, and the other does not wait for it.",
        "services/schedule.py",
        " FOR UPDATE SKIP LOCKED",
        "",
        "tests/integration/test_decision_guards.py::test_of_two_that_fire_what_is_due_one_does_and_the_other_does_not_wait",
    ),
    Mutant(
        "distributes-once",
        "A job that is queued twice deals the people once.",
        "services/distribute.py",
        "SELECT status FROM campaigns WHERE id = :id FOR UPDATE",
        "SELECT status FROM campaigns WHERE id = :id",
        "tests/integration/test_distribute.py::test_two_at_once_deal_once",
    ),
    Mutant(
        "attempts-proof",
        "Not sent is never said without a proof.",
        TABLES,
        "outcome <> 'not_sent' OR proof IS NOT NULL",
        "outcome <> 'not_sent' OR number > 0",
        f"{STATES}::test_not_sent_needs_its_proof",
    ),
    Mutant(
        "processing-is-held",
        "What is processing has a worker, a slot and a lease, without which nothing would ever settle it.",
        TABLES,
        "status <> 'processing' OR (slot IS NOT NULL AND lease_until IS NOT NULL AND",
        "status <> 'processing' OR (",
        f"{STATES}::test_processing_is_always_held_by_somebody[lease_until]",
    ),
)
