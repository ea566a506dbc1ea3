"""Record and receipts: who may say what came of an attempt, and that it never becomes less sure."""

from __future__ import annotations

from tests.chaos.mutating import Mutant

RECORD_SENT = "db/sql/record_sent.sql"
RECORD_ACCEPTED = "db/sql/record_accepted.sql"
REQUEUE = "db/sql/requeue_or_end.sql"
DELIVER = "services/deliver.py"
NOT_SENT = "services/not_sent.py"
RECEIPTS = "services/receipts.py"
GUARDS = "tests/integration/test_record_guards.py"
WORD = "tests/integration/test_cloud_word.py"
RACES = "tests/integration/test_races.py"
OF_RECEIPTS = "tests/integration/test_receipts.py"

MUTANTS = (
    Mutant(
        "record-sent-attempt",
        "A late success of an earlier attempt must not free the slot of the one that is under way.",
        RECORD_SENT,
        " AND attempt = :attempt AND",
        " AND :attempt > 0 AND",
        f"{GUARDS}::test_a_late_success_of_an_earlier_attempt_leaves_the_one_under_way_its_slot",
    ),
    Mutant(
        "record-sent-lease",
        "What recovery has settled is no longer the worker's: its result then counts like a receipt.",
        RECORD_SENT,
        " AND lease_until > clock_timestamp()\n",
        "\n",
        f"{RACES}::test_a_result_after_the_end_computes_it_anew",
    ),
    Mutant(
        "record-sent-status",
        "A receipt that was quicker than the record stays.",
        RECORD_SENT,
        "status = CASE WHEN status = 'processing' THEN 'sent' ELSE status END",
        "status = 'sent'",
        f"{GUARDS}::test_a_receipt_before_the_record_stays",
        error="cannot go from delivered to sent",
    ),
    Mutant(
        "record-sent-outcome",
        "The same for the attempt.",
        RECORD_SENT,
        "CASE WHEN outcome_rank(outcome) < outcome_rank('sent') THEN 'sent' ELSE outcome END",
        "'sent'",
        f"{GUARDS}::test_a_receipt_before_the_record_stays",
        error="known to be delivered, and cannot become sent",
    ),
    Mutant(
        "record-late-rank",
        "A result that comes after the lease raises, and never lowers.",
        DELIVER,
        " AND message_rank(status) < message_rank('sent') RETURNING",
        " RETURNING",
        f"{GUARDS}::test_a_receipt_before_a_late_record_stays",
        error="cannot go from delivered to sent",
    ),
    Mutant(
        "record-accepted-attempt",
        "A late answer of an earlier attempt does not free the slot of the one that is under way.",
        RECORD_ACCEPTED,
        " AND attempt = :attempt AND",
        " AND :attempt > 0 AND",
        f"{WORD}::test_recorded_twice_is_recorded_once",
    ),
    Mutant(
        "record-accepted-status",
        "Their word may be quicker than our record, and then there is nothing left to wait for.",
        RECORD_ACCEPTED,
        "CASE WHEN status = 'processing' THEN clock_timestamp() + time_for_word() END",
        "clock_timestamp() + time_for_word()",
        f"{WORD}::test_their_word_may_be_quicker_than_our_record[sent-None-sent]",
    ),
    Mutant(
        "refused-later",
        "What they tell not to have sent is not left as it was.",
        "db/sql/refused_later.sql",
        "m.status = 'processing' AND m.slot IS NULL",
        "m.status = 'processing' AND m.slot IS NULL AND false",
        f"{WORD}::test_a_person_whom_it_cannot_reach_fails_with_the_reason",
    ),
    Mutant(
        "awaits-word",
        "About what their word may still settle nobody is asked.",
        "db/sql/undecided.sql",
        "  AND NOT awaits_word(m.id, m.attempt)\n",
        "",
        f"{WORD}::test_no_answer_is_in_doubt_at_once_and_nobody_is_asked_for_a_while",
    ),
    Mutant(
        "opted-out",
        "Who has told WhatsApp that they want no more is on the never-send list.",
        NOT_SENT,
        "        _suppress(db, tried.message_id, result.reason)\n",
        "        pass\n",
        f"{WORD}::test_who_wants_no_more_is_not_written_to_again",
    ),
    Mutant(
        "record-not-sent-attempt",
        "A late refusal of an earlier attempt (its key is closed) must not queue again what is under way. The trigger would"
        " refuse it as well: the attempt under way has no proof.",
        REQUEUE,
        " AND m.attempt = :attempt\n",
        " AND :attempt > 0\n",
        f"{GUARDS}::test_another_late_result_of_an_earlier_attempt_changes_nothing[not sent]",
        error="only with proof",
    ),
    Mutant(
        "record-not-sent-lease",
        "What was settled is settled once: attempts, strikes and caps are not counted twice.",
        REQUEUE,
        "  AND (m.lease_until > clock_timestamp()) = :lease_holds\n",
        "  AND :lease_holds IS NOT NULL\n",
        f"{RACES}::test_a_result_recorded_twice_is_borne_once",
    ),
    Mutant(
        "record-not-sent-cancelled",
        "Nothing waits in a cancelled campaign.",
        REQUEUE,
        "    WHEN c.status = 'cancelled' THEN 'cancelled'\n",
        "",
        f"{GUARDS}::test_what_was_not_sent_does_not_wait_in_a_campaign_that_is_being_cancelled",
    ),
    Mutant(
        "record-not-sent-locks-campaign",
        "A cancel cannot pass between the look at the campaign and the move back to the queue.",
        NOT_SENT,
        " WHERE m.id = :id FOR SHARE OF c",
        " WHERE m.id = :id",
        f"{GUARDS}::test_what_was_not_sent_does_not_wait_in_a_campaign_that_is_being_cancelled",
    ),
    Mutant(
        "record-not-sent-suppressed",
        "Nobody on the never-send list waits.",
        REQUEUE,
        "    WHEN EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone)\n"
        "      THEN 'suppressed'\n",
        "",
        f"{GUARDS}::test_what_was_not_sent_does_not_wait_for_a_person_on_the_never_send_list",
    ),
    Mutant(
        "record-not-sent-older-doubt",
        "Of a message with another attempt in doubt nobody can say that it failed.",
        REQUEUE,
        "    WHEN has_unproven_attempt(m.id) THEN 'unknown'\n",
        "",
        f"{GUARDS}::test_a_message_with_an_older_doubt_ends_in_doubt",
        error="only with proof",
    ),
    Mutant(
        "record-in-doubt-attempt",
        "A late doubt about an earlier attempt does not end the lease of the one that is under way.",
        DELIVER,
        " WHERE id = :id AND attempt = :n AND slot IS NOT NULL",
        " WHERE id = :id AND :n > 0 AND slot IS NOT NULL",
        f"{GUARDS}::test_another_late_result_of_an_earlier_attempt_changes_nothing[in doubt]",
    ),
    Mutant(
        "record-in-doubt-slot",
        "What was settled has no lease, by which the other guards know it.",
        DELIVER,
        " AND attempt = :n AND slot IS NOT NULL",
        " AND attempt = :n",
        f"{GUARDS}::test_a_late_doubt_gives_no_lease_to_what_recovery_has_settled",
    ),
    Mutant(
        "record-in-doubt-outcome",
        "What a receipt has told of the attempt is no doubt any more.",
        DELIVER,
        " WHERE message_id = :id AND number = :n AND outcome = 'begun'",
        " WHERE message_id = :id AND number = :n",
        f"{GUARDS}::test_a_receipt_knows_better_than_a_worse_record[in doubt]",
        error="known to be delivered, and cannot become unknown",
    ),
    Mutant(
        "record-not-sent-outcome",
        "Nor is what a receipt has told taken back by a refusal.",
        NOT_SENT,
        " WHERE message_id = :id AND number = :n AND outcome IN ('begun', 'unknown')",
        " WHERE message_id = :id AND number = :n",
        f"{GUARDS}::test_a_receipt_knows_better_than_a_worse_record[not sent]",
        error="known to be delivered, and cannot become not_sent",
    ),
    Mutant(
        "certainty-message",
        "A receipt may only raise its message.",
        "db/sql/raise_messages.sql",
        "CASE WHEN message_rank(f.status) > message_rank(m.status) THEN f.status ELSE m.status END",
        "f.status",
        f"{OF_RECEIPTS}::test_the_times_are_those_of_the_receipts_in_whatever_order[order1]",
        error="cannot go from read to delivered",
    ),
    Mutant(
        "certainty-cancelled",
        "Only a person who certainly has the message beats cancelled and suppressed: not even a time is written otherwise.",
        "db/sql/raise_messages.sql",
        "WHERE m.id = f.id AND m.status NOT IN ('cancelled', 'suppressed') OR m.id = f.id AND f.status IN"
        " ('delivered', 'read')",
        "WHERE m.id = f.id",
        f"{OF_RECEIPTS}::test_only_a_person_who_certainly_has_it_beats_cancelled[cancelled]",
    ),
    Mutant(
        "certainty-attempt",
        "A receipt may only make its attempt surer.",
        RECEIPTS,
        " AND outcome_rank(f.outcome) > outcome_rank(a.outcome)",
        "",
        f"{OF_RECEIPTS}::test_the_times_are_those_of_the_receipts_in_whatever_order[order1]",
        error="known to be read, and cannot become delivered",
    ),
    Mutant(
        "certainty-batch",
        "Of several receipts about an attempt in one batch the surest stands.",
        "domain/status.py",
        "return max(known, fact, key=_OUTCOMES.index)",
        "return fact",
        "tests/unit/test_status.py::test_of_two_facts_about_an_attempt_the_surer_one_stays",
    ),
    Mutant(
        "receipt-of-a-stranger",
        "A receipt of an attempt that this database never began says nothing about the message that has the number now.",
        RECEIPTS,
        "{key: fact for key, fact in facts.items() if key in attempts}",
        "facts",
        f"{RACES}::test_a_receipt_of_an_attempt_that_was_never_begun_here_stops_no_other",
        error="was never attempted",
    ),
    Mutant(
        "end-anew-locks",
        "A receipt that passes the end of its campaign still counts.",
        "services/campaign_end.py",
        "ORDER BY id FOR UPDATE",
        "ORDER BY id",
        f"{RACES}::test_a_receipt_that_passes_the_end_of_its_campaign_still_counts",
    ),
    Mutant(
        "end-locks",
        "Nothing is queued or raised between the count of a campaign and its end.",
        "services/campaign_end.py",
        "SELECT status FROM campaigns WHERE id = :id FOR UPDATE",
        "SELECT status FROM campaigns WHERE id = :id",
        f"{RACES}::test_a_receipt_that_passes_the_end_of_its_campaign_still_counts",
    ),
)
