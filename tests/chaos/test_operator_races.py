"""Operators against a fleet at full speed: what was told to stop does not begin, and what was on its way is settled."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from fleet import Fleet
from oracle import kept
from people import phones, workspace
from sqlalchemy import Connection, text
from staging import launched, ready, sent
from waiting import until

from services import control, doubts, draft_file, drafts
from services.refused import Refused
from services.suppress import suppress as never_send

LAUNCHING_DRAFT = Path(__file__).parent / "launching_draft.py"
PEOPLE = 400
BEGUN_SINCE = "SELECT count(*) FROM attempts WHERE begun_at > :since"
LOOKED_BEFORE = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < :done"
)
IN_FLIGHT = "SELECT count(*) FROM messages WHERE slot IS NOT NULL"


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    """It sends as fast as it can."""
    fleet = make_fleet(send_limit_s=1, simulator_receipts="false")
    ready(fleet, 8)
    fleet.start("worker", "dispatcher")
    return fleet


def committed(fleet: Fleet, work: Callable[[Connection], object]) -> datetime:
    """Do it, and say by the database's clock when it was done and every transaction that began before had ended: a begin
    that a busy machine holds up between its look and its stamp is on its way."""
    with fleet.engine.begin() as db:
        work(db)
    done: datetime = fleet.one("SELECT clock_timestamp()")
    until(lambda: fleet.one(LOOKED_BEFORE, done=done) == 0, "who had looked before has ended", every_s=0.003)
    at: datetime = fleet.one("SELECT clock_timestamp()")
    return at


def sends(fleet: Fleet, more_than: int) -> None:
    until(lambda: sent(fleet) > more_than, "it sends", every_s=0.003)


def quiet(fleet: Fleet) -> None:
    until(lambda: fleet.one(IN_FLIGHT) == 0, "what was on its way is settled")


def test_pause_stop_and_cancel(fleet: Fleet) -> None:
    """Each again and again while it sends; after the last word everything that waits is cancelled."""
    numbers = phones(PEOPLE)
    campaign_id = launched(fleet, numbers)
    with fleet.engine.begin() as db:
        here = workspace(db)
    held: list[Callable[[Connection], object]] = [
        lambda db: control.pause(db, campaign_id, who="dana"),
        lambda db: control.stop_all(db, here, who="dana"),
    ]
    freed: list[Callable[[Connection], object]] = [
        lambda db: control.resume(db, campaign_id, who="dana"),
        lambda db: control.go(db, here, who="dana"),
    ]
    for turn in range(4):
        sends(fleet, 30 * turn)
        at = committed(fleet, held[turn % 2])
        quiet(fleet)
        assert fleet.one(BEGUN_SINCE, since=at) == 0
        committed(fleet, freed[turn % 2])
    sends(fleet, 150)
    at = committed(fleet, lambda db: control.cancel(db, campaign_id, who="dana"))
    quiet(fleet)
    assert fleet.one(BEGUN_SINCE, since=at) == 0
    counts = fleet.counts(campaign_id)
    assert counts == {"sent": len(fleet.received()), "cancelled": PEOPLE - len(fleet.received())}
    (said,) = fleet.rows("SELECT details->>'waiting' FROM audit WHERE action = 'cancel'")
    assert int(said[0]) == counts["cancelled"]
    kept(fleet, numbers)


def test_opt_outs(fleet: Fleet) -> None:
    """From four threads, in the order in which they are sent to: some are on their way when they ask."""
    numbers = phones(PEOPLE)
    campaign_id = launched(fleet, numbers)
    with fleet.engine.begin() as db:
        here = workspace(db)
    sends(fleet, 20)

    def opts_out(phone: str) -> tuple[str, datetime]:
        return phone, committed(fleet, lambda db: never_send(db, here, phone, reason="opt_out", proof="wrote STOP"))

    with ThreadPoolExecutor(4) as pool:
        since = dict(pool.map(opts_out, numbers[::4]))
    assert fleet.ended(campaign_id) == "completed"
    late = fleet.rows(
        "SELECT m.phone, a.begun_at FROM attempts a JOIN messages m ON m.id = a.message_id WHERE m.phone = ANY(:phones)",
        phones=list(since),
    )
    assert [row.phone for row in late if row.begun_at > since[row.phone]] == []
    counts = fleet.counts(campaign_id)
    assert counts == {"sent": len(fleet.received()), "suppressed": PEOPLE - len(fleet.received())}
    assert counts["suppressed"] > 0
    kept(fleet, numbers)


@contextmanager
def all_the_while(work: Callable[[], object]) -> Iterator[None]:
    """Somebody does this over and over."""
    done = Event()

    def repeat() -> None:
        while not done.wait(0.005):
            work()

    thread = Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_retries_against_recovery_and_receipts(make_fleet: Callable[..., Fleet]) -> None:
    """Somebody retries all the time, and somebody has all in doubt sent again, while receipts and recovery settle them."""
    fleet = make_fleet(send_limit_s=1)
    ready(fleet, 4)
    shares = {"error_before": 0.1, "error_after": 0.25, "answer_lost": 0.15}
    fleet.bridge("POST", "/simulator/behaviour", {"shares": shares})
    fleet.start("worker", "dispatcher")  # nobody takes the receipts yet
    refused = [f"+97252{n:02}99005" for n in range(4)]  # each time
    numbers = [*refused, *phones(24)]
    campaign_id = launched(fleet, numbers)

    def retry() -> None:
        with suppress(Refused), fleet.engine.begin() as db:
            control.retry(db, campaign_id, who="dana")

    def again(db: Connection) -> int:
        as_of = db.execute(text("SELECT clock_timestamp()")).scalar_one()
        return doubts.send_all_again(db, campaign_id, as_of=as_of, who="dana")

    with all_the_while(retry):
        until(
            lambda: fleet.one("SELECT count(*) FROM messages WHERE status = 'unknown'"),
            "one is in doubt",
            every_s=0.003,
        )
        with fleet.engine.begin() as db:
            assert again(db)
        fleet.start("api")
        until(lambda: fleet.one("SELECT max(attempt) FROM messages") > 3, "somebody was retried")
    fleet.ended(campaign_id)
    until(lambda: fleet.counts(campaign_id).keys() <= {"read", "failed"}, "receipts have settled every doubt")
    kept(fleet, numbers)


def test_one_campaign_of_two_consoles_and_the_api(make_fleet: Callable[..., Fleet]) -> None:
    """The draft from two processes, and the same content by the API, all at once."""
    fleet = make_fleet(send_limit_s=1, simulator_receipts="false")
    ready(fleet, 2)
    fleet.start("api", "worker", "dispatcher")
    numbers = phones(10)
    with fleet.engine.begin() as db:
        here = workspace(db)
        draft_id = drafts.create(db, here, {"message": "Hello"}, who="dana")
        content = "\n".join(["phone", *numbers]).encode()
        draft_file.keep(
            db, here, draft_id, "people.csv", content, draft_file.read(content, draft_file.How(), "IL"), who="dana"
        )
    consoles = [
        subprocess.Popen(
            [sys.executable, str(LAUNCHING_DRAFT), fleet.settings["DATABASE_URL"], str(draft_id)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    def ask(console: subprocess.Popen[str]) -> int:
        return int(console.communicate("go\n", timeout=30)[0])

    def post(_: int) -> int:
        answer = fleet.api("POST", "/api/broadcasts", {"message": "Hello", "phones": numbers})
        assert answer.status_code == 202, answer.text
        return int(answer.json()["broadcast_id"])

    for console in consoles:
        assert console.stdout is not None
        assert console.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(6) as pool:
        answers = [*(pool.submit(ask, console) for console in consoles), *(pool.submit(post, n) for n in range(4))]
        told = [answer.result(60) for answer in answers]
    (campaign_id,) = set(told)
    assert fleet.ended(campaign_id) == "completed"
    if campaign_id != draft_id:  # the API came first, and the draft is still one
        fleet.execute("DELETE FROM campaigns WHERE id = :id AND status = 'draft'", id=draft_id)
    kept(fleet, numbers)
