"""The launch of a draft: once, by the same rules as the API's, and whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pkgutil import resolve_name
from threading import Barrier
from typing import Any

import pytest
from people import add_devices, workspace
from sqlalchemy import Connection, Engine, text
from test_drafts import PEOPLE, draft_of

from db.engine import run
from domain.csv_rows import read_csv
from domain.people import apart, people
from services import campaign_views, clone, drafts, send_test
from services.launch import Launched, launch
from services.launch_draft import launch_draft
from services.launch_request import Launch
from services.refused import Refused
from services.suppress import suppress


def launched(db: Connection, draft_id: int, *, allow_repeat: bool = False) -> Launched:
    return launch_draft(db, workspace(db), draft_id, who="dana", allow_repeat=allow_repeat)


def count(db: Connection, table: str) -> int:
    return int(db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def refusal(engine: Engine, make: Callable[[Connection], int]) -> tuple[Refused, int]:
    """How the launch of this draft is refused, after which it is the draft it was."""
    with engine.begin() as db:
        draft_id = make(db)
        before = drafts.one(db, workspace(db), draft_id), count(db, "draft_people"), count(db, "rejected_rows")
    with pytest.raises(Refused) as caught:
        run(engine, lambda db: launched(db, draft_id))
    with engine.begin() as db:
        after = drafts.one(db, workspace(db), draft_id), count(db, "draft_people"), count(db, "rejected_rows")
        assert after == before
        assert (count(db, "messages"), count(db, "idempotency")) == (0, 0)
    return caught.value, draft_id


def test_a_draft_becomes_the_campaign_that_it_describes(db: Connection, device: int) -> None:
    add_devices(db, 1, name="other")
    suppress(db, workspace(db), "+972521234567", reason="opt_out", proof="wrote STOP")
    draft_id = draft_of(
        db,
        title="November",
        message="Hi {name}",
        device_ids=[device],
        min_delay_s=5.0,
        max_delay_s=9.0,
        save_leads=True,
    )
    proof = launched(db, draft_id)
    assert (proof.campaign_id, proof.status, proof.queued_count, proof.idempotent) == (draft_id, "accepted", 1, False)
    assert [(row["row"], row["reason"]) for row in proof.invalid] == [
        (4, "too_short"),
        (5, "duplicate"),
        (6, "missing_variable"),
    ]
    people_of_it = db.execute(text("SELECT phone, name, status, lead_id IS NOT NULL AS lead FROM messages ORDER BY id"))
    assert [tuple(row) for row in people_of_it] == [
        ("+972501234567", "Dana", "queued", True),
        ("+972521234567", "Avi", "suppressed", True),
    ]
    assert db.execute(text("SELECT device_id FROM campaign_devices")).scalars().all() == [device]
    assert (count(db, "draft_people"), count(db, "draft_files")) == (0, 0)
    view = campaign_views.one(db, workspace(db), draft_id)
    assert view is not None
    assert (view.title, view.message, view.min_delay_s, view.max_delay_s) == ("November", "Hi {name}", 5, 9)
    _, rejected = campaign_views.rejected(db, workspace(db), draft_id) or ((), [])
    assert [row.cells for row in rejected if row.reason == "missing_variable"] == [("", "+97236123456", "Lod")]


def test_a_draft_launched_again_answers_with_itself(db: Connection, device: int) -> None:
    draft_id = draft_of(db, message="Hello")
    first = launched(db, draft_id)
    db.execute(text("UPDATE devices SET can_send = false"))
    again = launched(db, draft_id)
    assert (again.campaign_id, again.job_id, again.queued_count) == (draft_id, first.job_id, first.queued_count)
    assert (first.idempotent, again.idempotent) == (False, True)
    assert count(db, "messages") == 3


def test_ten_launches_of_a_draft_at_once_are_one(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        draft_id = draft_of(db, message="Hello")
    together = Barrier(10)

    def one(_number: int) -> Launched:
        together.wait(30)
        return run(engine, lambda db: launched(db, draft_id))

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(one, range(10)))
    assert {answer.campaign_id for answer in answers} == {draft_id}
    assert sorted(answer.idempotent for answer in answers) == [False] + [True] * 9
    with engine.begin() as db:
        assert count(db, "messages") == 3


def launched_by_the_api(db: Connection) -> int:
    good, rejected = apart(people(read_csv(PEOPLE.encode()), "IL"))
    return launch(db, Launch(workspace(db), "Hello", good, rejected)).campaign_id


def test_what_the_api_has_just_launched_stays_a_draft_until_it_is_meant(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        first, draft_id = launched_by_the_api(db), draft_of(db, message="Hello")
    answer = run(engine, lambda db: launched(db, draft_id))
    assert (answer.campaign_id, answer.idempotent) == (first, True)
    with engine.begin() as db:
        assert drafts.one(db, workspace(db), draft_id) is not None
        assert count(db, "draft_people") == 3
    meant = run(engine, lambda db: launched(db, draft_id, allow_repeat=True))
    assert (meant.campaign_id, meant.idempotent, meant.queued_count) == (draft_id, False, 3)


def test_what_a_draft_has_launched_is_the_apis_repeat(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        draft_id = draft_of(db, message="Hello")
        launched(db, draft_id)
    assert run(engine, launched_by_the_api) == draft_id
    copy = run(engine, lambda db: clone.clone(db, workspace(db), draft_id, who="dana"))
    assert run(engine, lambda db: launched(db, copy)).campaign_id == draft_id


@pytest.mark.parametrize("look", ["services.draft_people.every", "services.launch_request.content_hash"])
def test_a_launch_may_look_at_its_people_for_longer_than_others_may_idle(
    db: Connection, device: int, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    patience: list[str] = []
    real: Callable[..., Any] = resolve_name(look)

    def looks(*args: Any, **more: Any) -> Any:
        patience.append(db.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one())
        return real(*args, **more)

    monkeypatch.setattr(look, looks)
    if look.endswith("every"):
        launched(db, draft_of(db, message="Hello"))
    else:
        launched_by_the_api(db)
    assert set(patience) == {"1min"}


def test_a_draft_for_later_is_scheduled(db: Connection) -> None:
    add_devices(db, 1, can_send=False)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    proof = launched(db, draft_of(db, message="Hello", scheduled_at=at))
    assert (proof.status, proof.queued_count) == ("scheduled", 3)
    assert db.execute(text("SELECT DISTINCT due_at FROM messages")).scalar_one() == at


def test_what_cannot_be_launched_stays_the_draft_it_was(engine: Engine) -> None:
    def passed(db: Connection) -> int:
        draft_id = draft_of(db, message="Hello")
        db.execute(text("UPDATE campaigns SET scheduled_at = clock_timestamp() - interval '1 minute'"))
        return draft_id

    def all_opted_out(db: Connection) -> int:
        add_devices(db, 1)
        suppress(db, workspace(db), "+972501234567", reason="opt_out", proof="wrote STOP")
        return draft_of(db, "phone\n0501234567\n", message="Hello")

    refusals = [
        refusal(engine, lambda db: draft_of(db, message="Hello"))[0].code,  # there is no phone yet
        refusal(engine, lambda db: draft_of(db, message=" "))[0].code,
        refusal(engine, lambda db: draft_of(db, message="Hi {name"))[0].code,
        refusal(engine, lambda db: drafts.create(db, workspace(db), {"message": "Hello"}, who="dana"))[0].code,
        refusal(engine, lambda db: draft_of(db, message="Hi {nmae}"))[0].code,
        refusal(engine, passed)[0].code,
        refusal(engine, all_opted_out)[0].code,
    ]
    assert refusals == [
        "WHATSAPP_NOT_CONNECTED",
        "BAD_MESSAGE",
        "BAD_MESSAGE",
        "NO_RECIPIENTS",
        "ALL_INVALID",
        "TIME_PASSED",
        "ALL_INVALID",
    ]
    with pytest.raises(Refused, match="not there"):
        run(engine, lambda db: launched(db, 999))


def test_a_test_goes_out_as_the_chosen_person_would_get_it(db: Connection, device: int) -> None:
    (away,) = add_devices(db, 1, can_send=False, name="away")
    draft_id = draft_of(db, message="Hi {name}", device_ids=[away, device])

    def sent(row: int | None, number: str = "0541234567", device_id: int | None = None) -> int:
        return send_test.send_test(
            db,
            workspace(db),
            draft_id,
            number=number,
            row=row,
            device_id=device_id,
            default_country="IL",
            who="dana",
        ).id

    message = db.execute(
        text("SELECT origin, campaign_id, phone, text, device_id FROM messages WHERE id = :id"), {"id": sent(2)}
    ).one()
    assert tuple(message) == ("single", None, "+972541234567", "Hi Dana", device)
    assert (
        db.execute(text("SELECT device_id FROM messages WHERE id = :id"), {"id": sent(3, device_id=away)}).scalar_one()
        == away
    )
    for row in (6, None):
        with pytest.raises(Refused, match="no value for"):
            sent(row)
    with pytest.raises(Refused) as caught:
        sent(2, number="12")
    assert caught.value.code == "INVALID_PHONE"
    db.execute(text("UPDATE devices SET can_send = false"))
    with pytest.raises(Refused) as caught:
        sent(2)
    assert caught.value.code == "WHATSAPP_NOT_CONNECTED"
