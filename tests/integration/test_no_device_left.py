"""A campaign whose phones were all deleted: nobody of it waits for a phone that never comes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from people import add_devices, launch_to, phones, workspace
from placing import use_devices
from sqlalchemy import Connection, Engine, event, text

from db.engine import run
from services import control, delete_device, distribute
from services.refused import Refused


def launched(db: Connection) -> tuple[int, int]:
    """A campaign to two people that waits to be spread, and its only phone."""
    (device_id,) = add_devices(db, 1)
    campaign_id = launch_to(db, phones(2), device_ids=[device_id]).campaign_id
    assert campaign_id is not None
    return campaign_id, device_id


def delete(db: Connection, device_id: int) -> None:
    delete_device.delete_device(db, workspace(db), device_id, confirmed=True, who="dana")


def status_of(db: Connection, campaign_id: int) -> str:
    return str(db.execute(text("SELECT status FROM campaigns WHERE id = :id"), {"id": campaign_id}).scalar_one())


def waiting_without_a_phone(db: Connection) -> int:
    waiting = text("SELECT count(*) FROM messages WHERE status = 'queued' AND device_id IS NULL")
    return int(db.execute(waiting).scalar_one())


@pytest.mark.parametrize("action", [control.retry, control.pause], ids=["retry", "pause"])
def test_without_a_phone_it_is_refused_and_fails(db: Connection, action: Callable[..., object]) -> None:
    campaign_id, device_id = launched(db)
    delete(db, device_id)
    if action is control.retry:
        distribute.distribute(db, campaign_id)
    before = status_of(db, campaign_id)
    step = db.begin_nested()
    with pytest.raises(Refused, match="no phone left") as refused:
        action(db, campaign_id, who="dana")
    step.rollback()
    assert refused.value.code == "NOT_POSSIBLE"
    assert status_of(db, campaign_id) == before
    distribute.distribute(db, campaign_id)
    assert status_of(db, campaign_id) == "failed"
    assert waiting_without_a_phone(db) == 0


@pytest.mark.parametrize(("phones_left", "ends"), [(1, "queued"), (0, "failed")])
def test_a_phone_that_is_deleted_while_it_is_chosen(engine: Engine, phones_left: int, ends: str) -> None:
    """What it was to get goes to the others; when there is none, the campaign says so."""
    with engine.begin() as db:
        campaign_id, device_id = launched(db)
        for other in add_devices(db, phones_left, name="other"):
            use_devices(db, campaign_id, other)
    chosen, deleted = Event(), Event()

    def watch(_db: Connection, found: Connection, statement: str, *_: object) -> None:
        if "FROM devices d JOIN bridges" in statement and not chosen.is_set():
            chosen.set()
            assert deleted.wait(10)

    event.listen(engine, "after_cursor_execute", watch)
    with ThreadPoolExecutor(1) as pool:
        dealt = pool.submit(run, engine, lambda db: distribute.distribute(db, campaign_id))
        assert chosen.wait(10)
        with engine.begin() as db:
            delete(db, device_id)
        deleted.set()
        assert dealt.result(timeout=10) == 2 * phones_left
    with engine.begin() as db:
        assert status_of(db, campaign_id) == ends
        assert waiting_without_a_phone(db) == 0
