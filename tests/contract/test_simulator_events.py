"""Events: signed, posted again until they are accepted, and never lost with the process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bridges import Bridge, Receiver, fresh, simulator, text_to
from waiting import until

pytestmark = pytest.mark.simulator_only


@pytest.fixture
def own_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_events_are_signed_and_have_the_contracts_fields(bridge: Bridge, receiver: Receiver, session: str) -> None:
    key = bridge.send(session, text_to(fresh())).json()["key"]
    until(lambda: receiver.of(session, "connection") and len(receiver.receipts(key)) == 2, "events of this session")
    events = [event for event in receiver.events if event["session"] == session]
    assert receiver.bad_signatures == 0
    for event in events:
        assert set(event) == {"event_id", "session", "type", "at", "data"}
        assert event["at"].endswith("Z")
    assert len({event["event_id"] for event in events}) == len(events)


def test_a_wrong_secret_is_noticed_by_the_receiver(tmp_path: Path, own_receiver: Receiver) -> None:
    with simulator(tmp_path, **own_receiver.settings | {"EVENTS_SECRET": "another"}) as running:
        running.bridge.post("/whatsapp/one/start")
        until(lambda: own_receiver.bad_signatures, "refused by its signature")
    assert own_receiver.events == []


def test_events_are_posted_again_until_accepted(tmp_path: Path, own_receiver: Receiver) -> None:
    with simulator(tmp_path, **own_receiver.settings) as running:
        session = running.bridge.new_session()
        until(lambda: len(own_receiver.of(session, "connection")) == 4, "quiet before")
        own_receiver.answers[:] = [500, 302, 401]
        key = running.bridge.send(session, text_to(fresh())).json()["key"]
        until(lambda: len(own_receiver.receipts(key)) == 5, "two receipts and three repeats")
        until(lambda: not own_receiver.answers, "all refusals used")
        marker = running.bridge.send(session, text_to(fresh())).json()["key"]
        until(lambda: len(own_receiver.receipts(marker)) == 2, "a later message's receipts")
    assert len(own_receiver.receipts(key)) == 5  # accepted ones are not posted again


def test_events_survive_a_receiver_that_is_away_and_a_sigkill(tmp_path: Path) -> None:
    away = Receiver()
    away.close()
    with simulator(tmp_path, **away.settings) as running:
        session = running.bridge.new_session()
        keys = [running.bridge.send(session, text_to(fresh())).json()["key"] for _ in range(3)]
        running.kill()
        back = Receiver(away.port)
        try:
            running.start()
            until(lambda: all(len(back.receipts(key)) == 2 for key in keys), "every receipt of before the kill")
            until(lambda: len(back.of(session, "connection")) >= 4, "the connection events of before the kill")
        finally:
            back.close()


def test_without_receipts_only_replies_and_connections_are_told(tmp_path: Path, own_receiver: Receiver) -> None:
    with simulator(tmp_path, SIMULATOR_RECEIPTS="false", **own_receiver.settings) as running:
        session = running.bridge.new_session()
        running.bridge.send(session, text_to(fresh("99022")))
        until(lambda: own_receiver.of(session, "inbound"), "the reply, which comes after any receipt")
    assert own_receiver.of(session, "receipt") == []
