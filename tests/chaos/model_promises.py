"""What must hold after every step, and from each step to the next (design: promises, states)."""

from __future__ import annotations

from collections import Counter

from model_bridge import ModelBridge
from model_seen import ENDED, REACHED, WAITING, Message, Seen

CERTAINTY = {
    "queued": 0,
    "processing": 0,
    "failed": 1,
    "unknown": 2,
    "sent": 3,
    "cancelled": 3,
    "suppressed": 3,
    "delivered": 4,
    "read": 5,
}
OUTCOMES = ("begun", "unknown", "not_sent", "sent", "delivered", "read")


class Promises:
    """``decisions`` counts, by message, how often a person let it go out again though it may double."""

    def __init__(self, bridge: ModelBridge, seen: Seen) -> None:
        self._bridge = bridge
        self.seen = seen
        self.decisions: Counter[int] = Counter()

    def step(self, seen: Seen) -> None:
        """Compare what is seen now with the step before and with the bridge."""
        assert self._bridge.conflicts == [], "one key was used for two messages"
        for message in seen.messages.values():
            before = self.seen.messages.get(message.id)
            if before is not None and before != message:
                self._moved(before, message)
        handed: dict[int, list[int]] = {}
        for key in self._bridge.handed_over:
            message_id, _, number = key.partition(".")
            handed.setdefault(int(message_id), []).append(int(number))
        for message in seen.messages.values():
            self._stands(message, handed.get(message.id, []), seen)
        for message in self.seen.messages.values():
            if message.id not in seen.messages:
                assert message.device_id not in seen.devices, f"{message} vanished"
                assert message.status not in WAITING, f"{message} was deleted"
        self._one_row_each(seen)
        self._slots(seen)
        for campaign_id in seen.campaigns:
            self._campaign(campaign_id, seen)
        self.seen = seen

    def _moved(self, before: Message, after: Message) -> None:
        words = f"{before} became {after}"
        for number, outcome in before.outcomes.items():
            assert OUTCOMES.index(after.outcomes[number]) >= OUTCOMES.index(outcome), words
        if after.device_id != before.device_id:
            assert before.status == after.status == "queued", words
            assert not before.unproven, words
        if after.requeued_by != before.requeued_by:
            assert after.decision in ("retry", "retry_unknown"), words
            self.decisions[after.id] += after.decision == "retry_unknown"
        if before.status == after.status:
            return
        if after.status == "queued":
            if before.status == "processing":
                assert after.outcomes[before.attempt] == "not_sent", words
            else:
                assert before.status in ("failed", "unknown"), words
                assert after.requeued_by != before.requeued_by, words
        elif after.status == "processing":
            assert before.status == "queued", words
            assert after.attempt == before.attempt + 1, words
            # Only when those before are proven not sent, or by as many decisions, and then from the same device.
            assert len(before.unproven) <= self.decisions[after.id], words
            assert {after.devices[n] for n in before.unproven} <= {after.device_id}, words
        else:
            assert CERTAINTY[after.status] >= CERTAINTY[before.status], words
        if before.status == "processing" and after.status in ("failed", "cancelled", "suppressed"):
            assert after.outcomes[before.attempt] == "not_sent", words

    def _stands(self, message: Message, handed: list[int], seen: Seen) -> None:
        words = f"{message}, handed over by {handed}"
        assert len(handed) <= 1 + self.decisions[message.id], words
        for number in handed:
            assert message.outcomes.get(number, "never begun") not in ("not_sent", "never begun"), words
        for number, outcome in message.outcomes.items():
            if outcome in REACHED:
                assert number in handed, words
                assert CERTAINTY[message.status] >= CERTAINTY[outcome], words
        if message.status in REACHED:
            assert handed, words
            assert "sent" in message.times, words
        if message.status == "failed":
            assert not message.unproven, words
        if message.status == "unknown":
            assert message.unproven or message.error_code == "not_sent_after_all", words
        if message.status == "queued":
            assert len(message.unproven) <= self.decisions[message.id], words
            assert message.phone not in seen.suppressed, words
            assert message.slot is None, words
        if message.status in ("unknown", "failed", "cancelled", "suppressed"):
            assert message.status in message.times, words
        for status in ("unknown", "failed", "cancelled", "suppressed"):
            assert status not in message.times or status == message.status, words

    def _one_row_each(self, seen: Seen) -> None:
        people = Counter((m.campaign_id, m.phone) for m in seen.messages.values() if m.campaign_id is not None)
        assert max(people.values(), default=1) == 1, people

    def _slots(self, seen: Seen) -> None:
        held = Counter(m.device_id for m in seen.messages.values() if m.slot is not None)
        for device_id, count in held.items():
            assert device_id is not None
            assert count <= seen.devices[device_id].in_flight_limit, f"device {device_id} sends {count} at once"

    def _campaign(self, campaign_id: int, seen: Seen) -> None:
        """What has ended has ended rightly; whatever has come to be known since is in it."""
        status, counts = seen.campaigns[campaign_id].status, seen.counts(campaign_id)
        words = f"campaign {campaign_id} is {status}: {counts}"
        if status in ("completed", "partial", "failed"):
            assert not counts["queued"] + counts["processing"], words
            reached, missed = sum(counts[s] for s in REACHED), counts["failed"] + counts["unknown"]
            assert status == ("failed" if not reached else "partial" if missed else "completed"), words
        elif status == "cancelled":
            assert not counts["queued"], words

    def drained(self, excused: set[str]) -> None:
        """Nothing is left to do: everybody is accounted for. ``excused`` are the keys of which the bridge's ledger cannot
        know any more whether they went out."""
        handed = {int(key.partition(".")[0]) for key in self._bridge.handed_over}
        for message in self.seen.messages.values():
            assert message.status in ENDED, f"{message} never came to an end"
            assert message.slot is None, f"{message} holds its slot for ever"
            # A receipt came for all that was handed over.
            assert (message.id in handed) == (message.status in ("delivered", "read")), (
                f"{message}, handed over: {handed}"
            )
            if message.status == "unknown" and message.unproven:
                keys = {f"{message.id}.{number}" for number in message.unproven}
                assert keys & excused, f"{message} is in doubt for no reason"
        for campaign in self.seen.campaigns.values():
            assert campaign.status in ("completed", "partial", "failed", "cancelled"), f"{campaign} never ended"
