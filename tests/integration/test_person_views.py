"""Everything that is known of one number, however somebody types it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from people import workspace
from placing import place_campaign, place_message
from sqlalchemy import Connection, text

from services import person_views, workspaces
from services.person_views import PersonView
from services.refused import Refused
from services.suppress import suppress

PHONE = "+972501234567"


def find(db: Connection, number: str) -> PersonView:
    return person_views.find(db, workspaces.first(db, default_country="IL", time_zone="UTC"), number)


def test_a_number_tells_all_there_is_in_any_spelling(db: Connection, device: int) -> None:
    here = workspace(db)
    db.execute(
        text(
            "INSERT INTO leads (workspace_id, phone, name, tags, attributes, device_id)"
            " VALUES (:here, :phone, 'Dana', '{vip}', '{\"city\": \"Haifa\"}', :device)"
        ),
        {"here": here, "phone": PHONE, "device": device},
    )
    campaigns = [place_campaign(db, "partial", title=f"Campaign {number}") for number in (1, 2)]
    failed = place_message(
        db, campaigns[0], "failed", device_id=device, attempts=["not_sent"], phone=PHONE, error_code="not_on_whatsapp"
    )
    single = place_message(db, None, "sent", device_id=device, attempts=["sent"], phone=PHONE)
    read = place_message(db, campaigns[1], "read", device_id=device, attempts=["not_sent", "read"], phone=PHONE)
    place_message(db, campaigns[1], "read", device_id=device, attempts=["read"])
    place_message(db, None, "sent", device_id=device, attempts=["sent"])
    suppress(db, here, PHONE, reason="opt_out", proof="wrote STOP")

    found = find(db, "050-123 4567")
    assert found == find(db, PHONE) == find(db, "00972 50 1234567")
    assert (found.phone, found.name) == (PHONE, "Dana")
    assert found.lead is not None
    assert (found.lead.tags, found.lead.attributes, found.lead.device_name) == (["vip"], {"city": "Haifa"}, "device1")
    assert found.suppression is not None
    assert (found.suppression.reason, found.suppression.proof) == ("opt_out", "wrote STOP")
    assert [row["id"] for row in found.messages] == [read, single, failed]
    newest, of_none, oldest = found.messages
    assert (newest["campaign_title"], newest["campaign_status"], newest["attempts"]) == ("Campaign 2", "partial", 2)
    assert (of_none["campaign_title"], of_none["origin"]) == (None, "single")
    assert (oldest["reason"], oldest["device_name"]) == ("This number is not on WhatsApp", "device1")


def test_a_number_that_nobody_knows_and_one_that_is_none(db: Connection) -> None:
    found = find(db, "050-7654321")
    assert found == replace(found, phone="+972507654321", lead=None, suppression=None, messages=[])
    assert found.name is None
    with pytest.raises(Refused) as refused:
        find(db, "12")
    assert refused.value.code == "INVALID_PHONE"


def test_another_workspace_is_not_looked_into(db: Connection, device: int) -> None:
    place_message(db, None, "sent", device_id=device, attempts=["sent"], phone=PHONE, name="Dana")
    place_message(db, place_campaign(db), "sent", device_id=device, attempts=["sent"], phone=PHONE)
    assert (len(find(db, PHONE).messages), find(db, PHONE).name) == (2, "Dana")
    db.execute(text("INSERT INTO workspaces (name, default_country, time_zone) VALUES ('other', 'IL', 'UTC')"))
    for table in ("messages", "campaigns"):
        db.execute(text(f"UPDATE {table} SET workspace_id = (SELECT max(id) FROM workspaces)"))
    assert find(db, PHONE).messages == []
