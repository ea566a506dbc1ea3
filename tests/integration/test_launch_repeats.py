"""The same launch again: one broadcast within ten minutes, whoever asks and however many at once (R3)."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from people import add_devices, launch_to, phones, workspace
from sqlalchemy import Engine, text

from db.engine import run
from domain.people import Person
from services import control
from services.launch import find_repeat, launch
from services.launch_request import Launch

LAUNCHING = Path(__file__).parents[1] / "launching.py"


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A database with phones that can send."""
    with engine.begin() as db:
        add_devices(db, 2)
    return engine


def campaigns(engine: Engine) -> int:
    with engine.begin() as db:
        return int(db.execute(text("SELECT count(*) FROM campaigns")).scalar_one())


def later(engine: Engine, minutes: int) -> None:
    """Minutes pass for what was launched."""
    with engine.begin() as db:
        db.execute(
            text("UPDATE idempotency SET launched_at = launched_at - make_interval(mins => :minutes)"),
            {"minutes": minutes},
        )


def test_twenty_threads_at_once_make_one_broadcast(engine: Engine) -> None:
    together = Barrier(20)

    def one(_number: int) -> tuple[int, int, bool]:
        together.wait(30)
        launched = run(engine, lambda db: launch_to(db, phones(50)))
        return launched.campaign_id, launched.queued_count, launched.idempotent

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(20)))
    assert campaigns(engine) == 1
    assert len({campaign_id for campaign_id, _, _ in answers}) == 1
    assert {queued for _, queued, _ in answers} == {50}
    assert sorted(idempotent for _, _, idempotent in answers) == [False] + [True] * 19


def test_four_processes_at_once_make_one_broadcast(engine: Engine, database_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, str(LAUNCHING), database_url, "5"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        answers: list[str] = []
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            out, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
            answers += out.split()
    finally:
        for process in processes:
            process.kill()
    assert campaigns(engine) == 1
    assert len(answers) == 20
    assert len(set(answers)) == 1


def test_nine_minutes_apart_is_one_and_eleven_minutes_are_two(engine: Engine) -> None:
    first = run(engine, lambda db: launch_to(db, phones(3)))
    later(engine, 9)
    second = run(engine, lambda db: launch_to(db, phones(3)))
    assert (second.campaign_id, second.job_id, second.idempotent) == (first.campaign_id, first.job_id, True)
    later(engine, 2)
    third = run(engine, lambda db: launch_to(db, phones(3)))
    assert third.campaign_id != first.campaign_id
    assert not third.idempotent
    # From now on the newer one is what a repeat finds.
    assert run(engine, lambda db: launch_to(db, phones(3))).campaign_id == third.campaign_id
    assert campaigns(engine) == 2


def test_a_repeat_needs_no_phone_that_can_send(engine: Engine) -> None:
    first = run(engine, lambda db: launch_to(db, phones(3)))
    with engine.begin() as db:
        db.execute(text("UPDATE devices SET can_send = false"))
        people = [Person(phone, "", {}, row, None) for row, phone in enumerate(phones(3), start=1)]
        found = find_repeat(db, Launch(workspace(db), "Hello", people))
    assert found is not None
    assert (found.campaign_id, found.idempotent) == (first.campaign_id, True)


def test_after_a_cancelled_launch_the_next_one_counts(engine: Engine) -> None:
    first = run(engine, lambda db: launch_to(db, phones(3)))
    run(engine, lambda db: control.cancel(db, first.campaign_id, who="dana"))
    second = run(engine, lambda db: launch_to(db, phones(3)))
    assert second.campaign_id != first.campaign_id
    assert not second.idempotent


def test_after_a_failed_launch_the_next_one_counts(engine: Engine) -> None:
    first = run(engine, lambda db: launch_to(db, phones(3)))
    with engine.begin() as db:
        db.execute(text("UPDATE campaigns SET status = 'failed', error_code = 'no_device'"))
    second = run(engine, lambda db: launch_to(db, phones(3)))
    assert second.campaign_id != first.campaign_id


def test_a_deliberate_second_launch_is_asked_for(engine: Engine) -> None:
    first = run(engine, lambda db: launch_to(db, phones(3)))
    second = run(engine, lambda db: launch_to(db, phones(3), allow_repeat=True))
    assert second.campaign_id != first.campaign_id
    assert run(engine, lambda db: launch_to(db, phones(3))).campaign_id == first.campaign_id


def test_the_order_of_people_and_the_devices_do_not_make_it_another_launch(engine: Engine) -> None:
    first = run(engine, lambda db: launch_to(db, phones(3)))
    assert run(engine, lambda db: launch_to(db, phones(3)[::-1], device_ids=[1])).campaign_id == first.campaign_id


def test_another_content_is_another_launch(engine: Engine) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)

    def named(name: str) -> int:
        people = [Person(phones(1)[0], name, {"name": name}, 1, None)]
        return run(engine, lambda db: launch(db, Launch(workspace(db), "Hello", people))).campaign_id

    launches = [
        run(engine, lambda db: launch_to(db, phones(3))).campaign_id,
        run(engine, lambda db: launch_to(db, phones(4))).campaign_id,
        run(engine, lambda db: launch_to(db, phones(3), message="Hello!")).campaign_id,
        run(engine, lambda db: launch_to(db, phones(3), scheduled_at=soon)).campaign_id,
        run(engine, lambda db: launch_to(db, phones(3), scheduled_at=soon + timedelta(hours=1))).campaign_id,
        named("Dana"),
        named("Noa"),
    ]
    assert len(set(launches)) == len(launches)


def test_a_refused_launch_leaves_the_right_to_launch(engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(text("UPDATE devices SET can_send = false"))
    with pytest.raises(Exception, match="No phone can send"):
        run(engine, lambda db: launch_to(db, phones(3)))
    with engine.begin() as db:
        db.execute(text("UPDATE devices SET can_send = true"))
    assert not run(engine, lambda db: launch_to(db, phones(3))).idempotent
