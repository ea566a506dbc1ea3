"""From Meta's post to what we know after it: statuses, people who write, wishes, alerts and what nobody understands."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cloud_numbers import add_numbers
from fleet import Fleet
from people import workspace
from placing import place_campaign, place_message
from posting import PHONE, SETTINGS, post

from db.engine import run
from services import alerts, receipts

NUMBER, BUSINESS = "number1", "business-1"


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    fleet = make_fleet(**SETTINGS).start("api")
    with fleet.engine.begin() as db:
        add_numbers(db, 1)
    return fleet


def tell(fleet: Fleet, field: str, value: dict[str, Any]) -> None:
    """Post it, and let it be applied."""
    metadata = {"metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER}}
    change = {"field": field, "value": {**value, **(metadata if field in ("messages", "user_preferences") else {})}}
    entry = {"id": BUSINESS, "time": 1790000000, "changes": [change]}
    assert (
        post(fleet, json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()).status_code == 200
    )
    while run(fleet.engine, receipts.apply):
        pass


def test_a_status_finds_its_message_by_our_key_or_by_metas_id(fleet: Fleet) -> None:
    with fleet.engine.begin() as db:
        campaign = place_campaign(db)
        (device,) = db.exec_driver_sql("SELECT id FROM devices").scalars()
        first, second = (place_message(db, campaign, "sent", device_id=device, attempts=["sent"]) for _ in range(2))
    fleet.execute("UPDATE attempts SET provider_message_id = 'wamid.' || message_id")
    told = {"status": "read", "timestamp": "1790000000"}
    keyed = {**told, "id": f"wamid.{first}", "biz_opaque_callback_data": f"{first}.1"}
    tell(fleet, "messages", {"statuses": [keyed, {**told, "id": f"wamid.{second}"}]})
    assert fleet.one("SELECT count(*) FROM messages WHERE status = 'read'") == 2


def test_who_writes_can_be_answered_freely(fleet: Fleet) -> None:
    tell(fleet, "messages", {"messages": [{"from": PHONE, "id": "in", "timestamp": "1790000000", "type": "text"}]})
    tell(fleet, "messages", {"messages": [{"from": PHONE, "id": "soon", "timestamp": "4000000000", "type": "text"}]})
    ((phone, future),) = fleet.rows("SELECT phone, last_inbound_at > clock_timestamp() FROM conversations")
    assert (phone, future) == (f"+{PHONE}", False)


def test_who_wants_no_more_is_on_the_never_send_list(fleet: Fleet) -> None:
    wish = {"wa_id": PHONE, "detail": "stop it", "category": "marketing", "value": "stop", "timestamp": 1790000000}
    tell(fleet, "user_preferences", {"user_preferences": [wish]})
    assert fleet.rows("SELECT phone, reason FROM suppressions") == [(f"+{PHONE}", "opt_out")]


def test_an_alert_stands_at_its_number(fleet: Fleet) -> None:
    ban = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}
    tell(fleet, "account_update", ban)
    tell(fleet, "account_update", ban)
    with fleet.engine.begin() as db:
        (alert,) = alerts.recent(db, workspace(db))
    assert (alert.kind, alert.severity) == ("banned", "serious")
    assert fleet.one("SELECT parked_until = 'infinity' FROM devices")


def test_what_nobody_understands_stops_nothing(fleet: Fleet) -> None:
    tell(fleet, "flows", {"event": "NEW"})
    tell(fleet, "messages", {"statuses": [{"status": "deleted"}]})
    assert fleet.rows("SELECT type, applied_at IS NOT NULL FROM events") == [("unread", True)] * 2
