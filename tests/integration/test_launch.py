"""Launch: what is committed, what is counted, what is refused (R1-R6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people import add_devices, launch_to, phones, workspace
from sqlalchemy import Connection, Engine, text

from domain.people import Item, Person, RejectedRow, recipients
from services import trouble
from services.launch import Launched, launch
from services.launch_request import Launch
from services.refused import Refused
from services.suppress import suppress


def sort_out(items: Sequence[Item]) -> tuple[list[Person], list[RejectedRow]]:
    rows = list(recipients(items, "IL"))
    return [r for r in rows if isinstance(r, Person)], [r for r in rows if isinstance(r, RejectedRow)]


def launch_items(db: Connection, items: Sequence[Item], message: str = "Hello", **more: Any) -> Launched:
    people, rejected = sort_out(items)
    return launch(db, Launch(workspace(db), message, people, rejected, **more))


def count(db: Connection, table: str) -> int:
    return int(db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_the_proof_of_queuing_is_what_the_database_holds(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 2)
        launched = launch_to(db, phones(150), title="November", min_delay_s=5.0, max_delay_s=15.0, who="dana")
    assert (launched.status, launched.queued_count, launched.sent_count) == ("accepted", 150, 0)
    assert (launched.invalid_count, launched.invalid, launched.idempotent) == (0, [], False)
    assert launched.items == [{"phone": phone, "lead_id": None, "status": "queued"} for phone in phones(100)]
    with engine.begin() as db:
        campaign = db.execute(text("SELECT * FROM campaigns")).mappings().one()
        assert campaign["id"] == launched.campaign_id
        assert campaign["job_id"] == launched.job_id
        assert (campaign["title"], campaign["min_delay_s"], campaign["max_delay_s"]) == ("November", 5, 15)
        waiting = text(
            "SELECT count(*) FROM messages WHERE campaign_id = :id AND status = 'queued' AND device_id IS NULL"
        )
        assert db.execute(waiting, {"id": launched.campaign_id}).scalar_one() == 150
        assert count(db, "campaign_devices") == 2
        audit = db.execute(text("SELECT who, action, subject, details FROM audit")).one()
        assert tuple(audit) == ("dana", "launch", f"campaign:{launched.campaign_id}", {"queued": 150, "rejected": 0})


def test_bad_rows_stay_with_the_campaign_and_the_good_ones_go(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        launched = launch_items(
            db, ["+972501000001", "050-100-0001", "12", {"phone": "9.72E+11", "name": "Dana"}, "+972501000002"]
        )
    assert launched.queued_count == 2
    assert launched.invalid_count == 3
    assert launched.invalid == [
        {"phone": "050-100-0001", "row": 2, "reason": "duplicate"},
        {"phone": "12", "row": 3, "reason": "too_short"},
        {"phone": "9.72E+11", "row": 4, "reason": "scientific_notation"},
    ]
    with engine.begin() as db:
        kept = db.execute(text("SELECT row, phone, reason, cells FROM rejected_rows ORDER BY row")).all()
    assert [tuple(row) for row in kept] == [
        (2, "050-100-0001", "duplicate", {"cells": ["050-100-0001", ""], "first_row": 1}),
        (3, "12", "too_short", {"cells": ["12", ""], "first_row": None}),
        (4, "9.72E+11", "scientific_notation", {"cells": ["9.72E+11", "Dana"], "first_row": None}),
    ]


def test_values_reach_the_database_as_they_are(engine: Engine) -> None:
    odd = 'tab\there, back\\slash, \\N, line\nbreak, return\rhere, "quoted", עברית, 😀, {name}'
    with engine.begin() as db:
        add_devices(db, 1)
        launch_items(db, [{"phone": "+972501000001", "name": odd, "variables": {"city": odd}}])
        row = db.execute(text("SELECT name, variables FROM messages")).one()
    assert row.name == odd
    assert row.variables == {"name": odd, "city": odd}


def test_people_without_a_value_of_the_message_are_counted_and_not_written_to(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        launched = launch_items(
            db,
            [
                {"phone": "+972501000001", "name": "Dana", "variables": {"code": "A1"}},
                {"phone": "+972501000002", "variables": {"code": "B2"}},
                {"phone": "+972501000003", "name": "Noa", "variables": {"code": " "}},
            ],
            "Hi {name|there}, {code}",
            headers=("phone", "name", "code"),
        )
        cells = db.execute(text("SELECT cells FROM rejected_rows")).scalar_one()
    assert launched.queued_count == 2
    assert launched.invalid == [{"phone": "+972501000003", "row": 3, "reason": "missing_variable"}]
    assert cells["cells"] == ["+972501000003", "Noa", ""]


def test_a_suppressed_person_has_a_row_and_is_not_counted_as_queued(engine: Engine) -> None:
    first, second = phones(2)
    with engine.begin() as db:
        add_devices(db, 1)
        suppress(db, workspace(db), first, reason="opt_out", proof="wrote STOP")
        launched = launch_to(db, [first, second])
        row = db.execute(text("SELECT error_code, suppressed_at FROM messages WHERE phone = :p"), {"p": first}).one()
    assert launched.queued_count == 1
    assert [item["status"] for item in launched.items] == ["suppressed", "queued"]
    assert row.error_code == "suppressed"
    assert row.suppressed_at is not None


def refused(engine: Engine, items: Sequence[Item], message: str = "Hello", **more: Any) -> Refused:
    """The refusal of a launch, after which nothing of it is there."""
    tables = ("campaigns", "messages", "idempotency", "rejected_rows", "audit")
    with engine.begin() as db:
        workspace(db)
        before = [count(db, table) for table in tables]
    with pytest.raises(Refused) as caught, engine.begin() as db:
        launch_items(db, items, message, **more)
    with engine.begin() as db:
        assert [count(db, table) for table in tables] == before
    return caught.value


def test_nobody_is_refused_with_what_is_missing(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        here = workspace(db)
    found = refused(engine, [])
    assert found.code == "NO_RECIPIENTS"
    assert found.details == {"missing_field": "recipients", "selection_count": 0, "workspace_id": here}


def test_only_bad_numbers_are_refused_with_their_reasons(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
    found = refused(engine, ["12", ""])
    assert found.code == "ALL_INVALID"
    assert found.details == {
        "invalid": [{"phone": "12", "row": 1, "reason": "too_short"}, {"phone": "", "row": 2, "reason": "missing"}],
        "invalid_recipients_count": 2,
    }


def test_only_people_who_lack_a_value_are_refused(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
    found = refused(engine, ["+972501000001"], "Hi {name}")
    assert (found.code, found.details["invalid_recipients_count"]) == ("ALL_INVALID", 1)


def test_only_suppressed_people_are_refused(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        suppress(db, workspace(db), "+972501000001", reason="opt_out", proof="wrote STOP")
    found = refused(engine, ["+972501000001"])
    assert found.code == "ALL_INVALID"
    assert found.details["invalid"] == [{"phone": "+972501000001", "row": 1, "reason": "suppressed"}]


def test_a_message_that_cannot_be_read_is_refused(engine: Engine) -> None:
    assert refused(engine, ["+972501000001"], "Hi {name").code == "BAD_MESSAGE"


def test_no_phone_that_can_send_is_refused_with_what_each_needs(engine: Engine) -> None:
    assert refused(engine, ["+972501000001"]).details == {"requires_connection": True, "devices": []}
    with engine.begin() as db:
        (device,) = add_devices(db, 1, can_send=False)
        db.execute(text("UPDATE devices SET qr_required = true, error_reason = 'scan it'"))
    found = refused(engine, ["+972501000001"])
    assert found.code == "WHATSAPP_NOT_CONNECTED"
    assert found.details["devices"] == [
        {"id": device, "name": "device1", "state": "new", "qr_required": True, "last_error": "scan it"}
    ]


def test_only_the_chosen_devices_count(engine: Engine) -> None:
    with engine.begin() as db:
        (able,) = add_devices(db, 1, name="able")
        (away,) = add_devices(db, 1, can_send=False, name="away")
    assert refused(engine, ["+972501000001"], device_ids=[away]).code == "WHATSAPP_NOT_CONNECTED"
    found = refused(engine, ["+972501000001"], device_ids=[able, 999])
    assert (found.code, found.details) == ("UNKNOWN_DEVICE", {"field": "device_ids", "unknown": [999]})
    with engine.begin() as db:
        launch_to(db, phones(1), device_ids=[able, away])
    with engine.begin() as db:
        launch_to(db, phones(1, start=1))
        used = db.execute(
            text(
                "SELECT array_agg(device_id ORDER BY device_id) FROM campaign_devices"
                " GROUP BY campaign_id ORDER BY campaign_id"
            )
        ).scalars()
        # A chosen phone may come back and help; what nobody chose is only what can send now.
        assert used.all() == [[able, away], [able]]


def test_a_bridge_that_is_away_blocks_no_launch(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1, can_send=False)
        trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
        launched = launch_to(db, phones(3))
    assert (launched.status, launched.queued_count) == ("accepted", 3)


def test_a_launch_for_later_waits_for_its_time(engine: Engine) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    with engine.begin() as db:
        add_devices(db, 1, can_send=False)
        launched = launch_to(db, phones(2), scheduled_at=at)
        due = db.execute(text("SELECT DISTINCT due_at FROM messages")).scalar_one()
    assert (launched.status, launched.queued_count) == ("scheduled", 2)
    assert due == at
    with engine.begin() as db:
        add_devices(db, 1, name="able")
        past = launch_to(db, phones(2), scheduled_at=at - timedelta(hours=3))
    assert past.status == "accepted"


def test_people_of_an_upload_join_the_book(engine: Engine) -> None:
    first, second = phones(2)
    with engine.begin() as db:
        add_devices(db, 1)
        db.execute(
            text(
                "INSERT INTO leads (workspace_id, phone, name, attributes) VALUES (:w, :p, 'Known', '{\"city\": \"Haifa\"}')"
            ),
            {"w": workspace(db), "p": first},
        )
        launched = launch_items(
            db,
            [
                {"phone": first, "name": "New name", "variables": {"code": "A1"}},
                {"phone": second, "name": "Noa"},
                "12",
            ],
            save_leads=True,
        )
        leads = db.execute(text("SELECT phone, name, attributes FROM leads ORDER BY phone")).all()
        linked = db.execute(
            text("SELECT count(*) FROM messages m JOIN leads l ON l.id = m.lead_id AND l.phone = m.phone")
        ).scalar_one()
    assert [(row.phone, row.name) for row in leads] == [(first, "Known"), (second, "Noa")]
    assert leads[0].attributes["city"] == "Haifa"
    assert leads[0].attributes["code"] == "A1"
    assert linked == 2
    assert all(item["lead_id"] is not None for item in launched.items)


def test_a_lead_that_was_chosen_is_linked(engine: Engine) -> None:
    (phone,) = phones(1)
    with engine.begin() as db:
        add_devices(db, 1)
        lead_id = db.execute(
            text("INSERT INTO leads (workspace_id, phone) VALUES (:w, :p) RETURNING id"),
            {"w": workspace(db), "p": phone},
        ).scalar_one()
        assert launch_to(db, [phone], leads={phone: lead_id}).items[0]["lead_id"] == lead_id


def test_a_hundred_thousand_people_in_one_launch(engine: Engine) -> None:
    people = [
        Person(f"+9725{number:08}", f"Name {number}", {"name": f"Name {number}", "city": "חיפה"}, number + 2, None)
        for number in range(100_000)
    ]
    with engine.begin() as db:
        add_devices(db, 3)
        launched = launch(db, Launch(workspace(db), "Hi {name} of {city}", people))
    assert launched.queued_count == 100_000
    with engine.begin() as db:
        assert count(db, "messages") == 100_000
        last = db.execute(text("SELECT name, variables, row FROM messages ORDER BY id DESC LIMIT 1")).one()
    assert tuple(last) == ("Name 99999", {"name": "Name 99999", "city": "חיפה"}, 100_001)


def test_a_misspelt_variable_is_named_with_the_people_it_concerns(engine: Engine) -> None:
    refusal = refused(engine, phones(2), message="Hello {nmae}")
    assert refusal.message == "None of the 2 recipients can be sent to. {nmae} has no value for 2 of them."
    assert refusal.details["missing_variables"] == {"nmae": 2}


def test_who_is_sent_to_and_looks_wrong_is_told(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        launched = launch_to(db, ["+97236951234", *phones(1)])
    assert launched.queued_count == 2
    assert launched.warnings == [{"phone": "+97236951234", "row": 1, "reason": "not_a_mobile"}]
