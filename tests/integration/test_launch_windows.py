"""Free text from official numbers: only to people who have written to them within the last day, and never mixed (R28)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloud_content import asked, put_template, wrote
from cloud_numbers import add_numbers
from people import add_devices, launch_to, phones, workspace
from sqlalchemy import Connection, Engine, text
from test_drafts import draft_of, sums

from services import distribute, drafts, trouble
from services.refused import Refused
from services.suppress import suppress


def dealt(db: Connection) -> dict[str, int | None]:
    return {row.phone: row.device_id for row in db.execute(text("SELECT phone, device_id FROM messages ORDER BY id"))}


def used(engine: Engine, numbers: list[str], **more: Any) -> list[int]:
    """The devices that a launch of its own uses."""
    with engine.begin() as db:
        launched = launch_to(db, numbers, allow_repeat=True, **more)
        rows = db.execute(
            text("SELECT device_id FROM campaign_devices WHERE campaign_id = :id ORDER BY 1"),
            {"id": launched.campaign_id},
        )
        return list(rows.scalars())


def refused(engine: Engine, numbers: list[str], **more: Any) -> Refused:
    """The refusal of a launch, after which nothing of it is there."""
    with pytest.raises(Refused) as caught, engine.begin() as db:
        launch_to(db, numbers, **more)
    with engine.begin() as db:
        for table in ("campaigns", "messages", "idempotency"):
            assert db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    return caught.value


def test_where_nobody_chose_other_phones_go_before_official_numbers(engine: Engine) -> None:
    with engine.begin() as db:
        (official,) = add_numbers(db, 1)
        able, off = add_devices(db, 2)
        db.execute(text("UPDATE devices SET can_send = false WHERE id = :id"), {"id": off})
        wrote(db, official, phones(2))
    assert used(engine, phones(2)) == [able]
    with engine.begin() as db:
        db.execute(text("UPDATE devices SET can_send = false WHERE id = :id"), {"id": able})
    assert used(engine, phones(2)) == [official]
    with engine.begin() as db:
        db.execute(text("UPDATE devices SET can_send = false"))
    # Nobody can: for a time to come it is the other phones.
    assert used(engine, phones(2), scheduled_at=datetime.now(UTC) + timedelta(hours=1)) == [able, off]


def test_phones_that_nobody_can_reach_count_as_able(engine: Engine) -> None:
    with engine.begin() as db:
        add_numbers(db, 1)
        (away,) = add_devices(db, 1, can_send=False)
        trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
    assert used(engine, phones(1)) == [away]


def test_both_kinds_chosen_together_are_refused(engine: Engine) -> None:
    with engine.begin() as db:
        (official,), (other,) = add_numbers(db, 1), add_devices(db, 1)
        wrote(db, official, phones(1))
    found = refused(engine, phones(1), device_ids=[official, other])
    assert (found.code, found.details) == ("MIXED_KINDS", {"field": "device_ids", "official": [official]})


def test_people_outside_the_window_are_counted_and_refused(engine: Engine) -> None:
    inside, late, never, out = phones(4)
    with engine.begin() as db:
        (official,), (other,) = add_numbers(db, 1), add_numbers(db, 1, name="other")
        wrote(db, official, [inside])
        # It closes ten minutes before its time is up, so that what waits a little still arrives in it.
        wrote(db, official, [late], hours_ago=23.9)
        wrote(db, other, [never])
        suppress(db, workspace(db), out, reason="opt_out", proof="wrote STOP")
    found = refused(engine, phones(4), device_ids=[official])
    assert found.code == "OUTSIDE_WINDOW"
    assert found.details == {
        "outside_count": 2,
        "sample": [{"phone": late, "row": 2}, {"phone": never, "row": 3}],
    }
    assert found.message.startswith("2 people have not written")
    with engine.begin() as db:
        wrote(db, official, [late], hours_ago=23.8)
    assert used(engine, phones(4), device_ids=[official, other]) == [official, other]


def test_all_outside_are_counted_and_some_are_shown(engine: Engine) -> None:
    with engine.begin() as db:
        add_numbers(db, 1)
    found = refused(engine, phones(50))
    assert found.details["outside_count"] == 50
    assert [each["phone"] for each in found.details["sample"]] == phones(20)  # type: ignore[attr-defined]


def test_a_launch_for_later_needs_windows_that_are_open_then(engine: Engine) -> None:
    with engine.begin() as db:
        (official,) = add_numbers(db, 1)
        wrote(db, official, phones(1), hours_ago=20)
    soon, late = (datetime.now(UTC) + timedelta(hours=hours) for hours in (3, 4))
    assert refused(engine, phones(1), scheduled_at=late).code == "OUTSIDE_WINDOW"
    # A time that has passed is now.
    past = soon - timedelta(hours=9)
    with engine.begin() as db:
        wrote(db, official, phones(1), hours_ago=25)
    assert refused(engine, phones(1), scheduled_at=past).code == "OUTSIDE_WINDOW"
    with engine.begin() as db:
        wrote(db, official, phones(1), hours_ago=20)
    assert used(engine, phones(1), scheduled_at=soon) == [official]
    assert used(engine, phones(1), scheduled_at=past) == [official]


def test_everybody_gets_a_number_to_which_they_wrote_and_the_numbers_share_the_others(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    everybody = phones(30)
    wrote(db, first, everybody[:10])
    wrote(db, first, everybody[10:])
    wrote(db, second, everybody[10:])
    launched = launch_to(db, everybody)
    assert distribute.distribute(db, launched.campaign_id) == 30
    by_phone = dealt(db)
    assert {by_phone[phone] for phone in everybody[:10]} == {first}
    assert Counter(by_phone.values()) == {first: 15, second: 15}


def test_a_number_that_cannot_send_now_keeps_who_wrote_to_it_alone(db: Connection) -> None:
    off, able = add_numbers(db, 2)
    only_off, both = phones(2)
    wrote(db, off, [only_off, both])
    wrote(db, able, [both])
    launched = launch_to(db, [only_off, both])
    db.execute(text("UPDATE devices SET can_send = false WHERE id = :id"), {"id": off})
    assert distribute.distribute(db, launched.campaign_id) == 2
    assert dealt(db) == {only_off: off, both: able}


def test_whose_window_has_closed_since_the_launch_is_dealt_all_the_same(db: Connection) -> None:
    (off,), (able,) = add_numbers(db, 1), add_numbers(db, 1, name="able")
    closed, still = phones(2)
    wrote(db, off, [closed])
    wrote(db, off, [still])
    launched = launch_to(db, [closed, still])
    wrote(db, off, [closed], hours_ago=25)
    db.execute(text("UPDATE devices SET can_send = false WHERE id = :id"), {"id": off})
    assert distribute.distribute(db, launched.campaign_id) == 2
    assert dealt(db) == {closed: able, still: off}  # Meta says to the one why not


def test_a_draft_counts_who_is_outside_as_its_launch_would(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    dana, avi, lod = "+972501234567", "+972521234567", "+97236123456"
    draft_id = draft_of(db, message="Hello")
    assert (sums(db, draft_id).outside_window, sums(db, draft_id).will_receive) == (3, 3)
    wrote(db, first, [dana, avi])
    wrote(db, second, [avi, lod], hours_ago=20)
    assert sums(db, draft_id).outside_window == 0
    here = workspace(db)
    drafts.change(db, here, draft_id, {"device_ids": [second]})
    assert sums(db, draft_id).outside_window == 1
    suppress(db, here, dana, reason="opt_out", proof="wrote STOP")
    assert sums(db, draft_id).outside_window == 0
    drafts.change(db, here, draft_id, {"scheduled_at": datetime.now(UTC) + timedelta(hours=5)})
    assert sums(db, draft_id).outside_window == 2
    put_template(db)
    drafts.change(db, here, draft_id, {"template": asked()})
    assert sums(db, draft_id).outside_window == 0
    drafts.change(db, here, draft_id, {"template": None, "message": "Hi {name} of {city}"})
    assert (sums(db, draft_id).lacking, sums(db, draft_id).outside_window) == (2, 0)


def test_a_draft_from_other_phones_needs_no_window(db: Connection) -> None:
    (official,) = add_numbers(db, 1)
    (other,) = add_devices(db, 1)
    draft_id = draft_of(db, message="Hello")
    assert sums(db, draft_id).outside_window == 0  # they go before official numbers
    for device_ids in ([other], [official, other], []):
        drafts.change(db, workspace(db), draft_id, {"device_ids": device_ids})
        assert sums(db, draft_id).outside_window == 0
    drafts.change(db, workspace(db), draft_id, {"device_ids": [official]})
    assert sums(db, draft_id).outside_window == 3
