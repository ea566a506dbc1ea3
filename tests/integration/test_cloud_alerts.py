"""What Meta tells of our numbers: written at each device once, and what follows for it, whatever comes again or late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from cloud_numbers import BUSINESS, add_numbers
from people import workspace
from racing import during
from sqlalchemy import Connection, Engine, text

from domain.cloud_alert import Kind
from services import alerts, trouble

_ids = count(1)
DISABLED, REINSTATED = (
    {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state, "waba_ban_date": "April 17, 2025"}}
    for state in ("DISABLE", "REINSTATE")
)


def restriction(until: datetime | None) -> dict[str, Any]:
    end = {} if until is None else {"expiration": int(until.timestamp())}
    return {
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", **end}],
    }


def now(db: Connection) -> datetime:
    at: datetime = db.execute(text("SELECT date_trunc('second', clock_timestamp())")).scalar_one()
    return at


def event(
    db: Connection,
    kind: str,
    value: Any,
    *,
    scope: str = "business",
    session: str = BUSINESS,
    ago_s: float = 0,
    event_id: str | None = None,
) -> SimpleNamespace:
    return SimpleNamespace(
        event_id=event_id or f"event {next(_ids)}",
        type="account",
        session=session,
        at=now(db) - timedelta(seconds=ago_s),
        data={"scope": scope, "kind": kind, "value": value},
    )


def tell(db: Connection, kind: str, value: Any, **more: Any) -> None:
    alerts.apply(db, [event(db, kind, value, **more)])


def device(db: Connection, device_id: int) -> Any:
    return db.execute(
        text(
            "SELECT d.*, n.quality, n.messaging_limit, d.parked_until = 'infinity' AS for_ever"
            " FROM devices d JOIN cloud_numbers n ON n.device_id = d.id WHERE d.id = :id"
        ),
        {"id": device_id},
    ).one()


def asked_for_a_look(db: Connection) -> bool:
    """Whether somebody has asked for a look since this was last asked."""
    asked = db.execute(
        text("SELECT next_probe_at <= clock_timestamp() FROM bridges WHERE address = 'cloud'")
    ).scalar_one()
    db.execute(text("UPDATE bridges SET next_probe_at = 'infinity' WHERE address = 'cloud'"))
    return bool(asked)


def kinds(db: Connection, device_id: int) -> list[str]:
    return [str(alert.kind) for alert in alerts.recent(db, workspace(db), device_id)]


def test_of_an_account_at_each_of_its_numbers_and_once(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    (other,) = add_numbers(db, 1, business_id="another", name="other")
    told = event(db, "account_review_update", {"decision": "REJECTED"})
    alerts.apply(db, [told, told])
    alerts.apply(db, [told])
    assert [kinds(db, each) for each in (first, second, other)] == [["review"], ["review"], []]
    (alert,) = alerts.recent(db, workspace(db), first)
    assert (alert.at, alert.severity, alert.details) == (told.at, "serious", {"decision": "REJECTED"})
    assert (alert.device_id, alert.device_name) == (first, "number1")


def test_of_a_number_by_its_id_or_by_how_it_is_written(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    (other,) = add_numbers(db, 1, business_id="another", name="other")
    db.execute(text("UPDATE devices SET phone = '+1 555-078-3881' WHERE id IN (:a, :b)"), {"a": second, "b": other})
    db.execute(text("UPDATE devices SET phone = '' WHERE id = :a"), {"a": first})
    tell(db, "account_alerts", {"alert_info": {}}, scope="number", session="number1")
    tell(db, "phone_number_name_update", {"display_phone_number": "15550783881"}, scope="number")
    tell(db, "phone_number_name_update", {"display_phone_number": ""}, scope="number")
    tell(db, "phone_number_name_update", {"display_phone_number": [7]}, scope="number")
    assert [kinds(db, each) for each in (first, second, other)] == [["notice"], ["name"], []]


def test_the_latest_come_first_and_not_all(db: Connection) -> None:
    first, _ = add_numbers(db, 2)
    for ago_s in (20, 40, 10, 30):
        tell(db, "account_update", {"event": f"E{ago_s}"}, ago_s=ago_s)
    assert [a.details["event"] for a in alerts.recent(db, workspace(db), first, limit=3)] == ["E10", "E20", "E30"]
    assert len(alerts.recent(db, workspace(db))) == 8
    assert alerts.recent(db, workspace(db) + 1) == []


def test_a_restriction_parks_until_it_ends(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    until = now(db) + timedelta(days=3)
    asked_for_a_look(db)
    tell(db, "account_update", restriction(until))
    row = device(db, number)
    assert (row.can_send, row.error_code, row.parked_until) == (False, "restricted", until)
    assert asked_for_a_look(db)


def test_one_of_which_the_end_is_not_told_parks_for_a_while(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    tell(db, "account_update", restriction(None))
    parked = device(db, number).parked_until - now(db)
    assert timedelta(minutes=4) < parked < timedelta(minutes=6)


def test_one_that_is_over_changes_nothing(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    tell(db, "account_update", restriction(now(db) - timedelta(minutes=1)), ago_s=86_400)
    assert (device(db, number).can_send, device(db, number).parked_until) == (True, None)
    assert kinds(db, number) == ["restricted"]


def test_what_forbids_something_else_stops_nobody(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    only = [{"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expiration": 1_900_000_000}]
    tell(db, "account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": only})
    assert device(db, number).can_send
    assert kinds(db, number) == ["limited"]


def test_a_ban_is_for_ever_and_ends_when_it_is_taken_back(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    tell(db, "account_update", DISABLED, ago_s=30)
    tell(db, "account_update", restriction(now(db) + timedelta(hours=1)), ago_s=20)
    row = device(db, number)
    assert (row.can_send, row.for_ever) == (False, True)
    asked_for_a_look(db)
    tell(db, "account_update", REINSTATED, ago_s=10)
    assert device(db, number).parked_until is None
    assert asked_for_a_look(db)


def test_what_comes_late_or_again_does_not_park_anew(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    banned = event(db, "account_update", DISABLED, ago_s=60)
    alerts.apply(db, [banned])
    tell(db, "account_update", REINSTATED, ago_s=40)
    alerts.apply(db, [banned])
    tell(db, "account_update", DISABLED, ago_s=50)
    tell(db, "account_update", restriction(now(db) + timedelta(days=1)), ago_s=45)
    assert device(db, number).parked_until is None
    assert kinds(db, number) == ["reinstated", "restricted", "banned", "banned"]


def test_what_comes_again_does_not_park_what_somebody_has_seen_to(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    told = event(db, "account_update", restriction(now(db) + timedelta(days=1)))
    alerts.apply(db, [told])
    trouble.unpark(db, number)
    alerts.apply(db, [told])
    assert device(db, number).parked_until is None


def test_quality_and_limit_as_last_told(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    db.execute(text("UPDATE devices SET phone = '+15550783881' WHERE id = :id"), {"id": first})
    flagged = {"display_phone_number": "15550783881", "event": "FLAGGED", "current_limit": "TIER_1K"}
    asked_for_a_look(db)
    tell(db, "phone_number_quality_update", flagged, scope="number", ago_s=30)
    assert asked_for_a_look(db)
    tell(db, "business_capability_update", {"max_daily_conversations_per_business": "TIER_10K"}, ago_s=10)
    tell(db, "business_capability_update", {"max_daily_conversations_per_business": "TIER_2K"}, ago_s=20)
    assert (device(db, first).quality, device(db, first).messaging_limit) == ("RED", "TIER_10K")
    assert (device(db, second).quality, device(db, second).messaging_limit) == (None, "TIER_10K")


def test_of_two_at_the_same_moment_the_later_word_holds(engine: Engine) -> None:
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
        early, late = (
            event(db, "business_capability_update", {"max_daily_conversations_per_business": limit}, ago_s=ago_s)
            for limit, ago_s in (("TIER_2K", 20), ("TIER_10K", 10))
        )
    during(engine, lambda db: alerts.apply(db, [late]), lambda db: alerts.apply(db, [early]))
    with engine.begin() as db:
        assert device(db, number).messaging_limit == "TIER_10K"


def place_template(db: Connection, status: str, *, synced_ago_s: float, business_id: str = BUSINESS) -> None:
    db.execute(
        text(
            "INSERT INTO templates (business_id, name, language, status, category, parameter_format, components, synced_at)"
            " VALUES (:business_id, 'sale', 'pt_BR', :status, 'MARKETING', 'POSITIONAL', '[]',"
            " clock_timestamp() - make_interval(secs => :ago_s))"
        ),
        {"business_id": business_id, "status": status, "ago_s": synced_ago_s},
    )


def template_event(name: str) -> dict[str, str]:
    return {"event": name, "message_template_name": "sale", "message_template_language": "pt-BR"}


def states(db: Connection) -> dict[str, str]:
    return {row.business_id: row.status for row in db.execute(text("SELECT business_id, status FROM templates"))}


def test_a_template_is_paused_and_approved_again(db: Connection) -> None:
    add_numbers(db, 2)
    place_template(db, "APPROVED", synced_ago_s=3600)
    place_template(db, "APPROVED", synced_ago_s=3600, business_id="another")
    tell(db, "message_template_status_update", template_event("PAUSED"), ago_s=30)
    assert states(db) == {BUSINESS: "PAUSED", "another": "APPROVED"}
    tell(db, "message_template_status_update", template_event("APPROVED"), ago_s=10)
    tell(db, "message_template_status_update", template_event("PAUSED"), ago_s=20)  # told late
    tell(db, "message_template_status_update", template_event("FLAGGED"))  # no state
    assert states(db)[BUSINESS] == "APPROVED"


@pytest.mark.parametrize(("synced_ago_s", "status"), [(600, "APPROVED"), (30, "PAUSED")])
def test_what_was_fetched_long_after_it_happened_knows_better(db: Connection, synced_ago_s: float, status: str) -> None:
    add_numbers(db, 1)
    place_template(db, "APPROVED", synced_ago_s=synced_ago_s)
    tell(db, "message_template_status_update", template_event("PAUSED"), ago_s=60 if synced_ago_s == 30 else 900)
    assert states(db)[BUSINESS] == status


@pytest.mark.parametrize("data", [{}, {"value": 7}, {"value": {}}, {"value": {}, "kind": [], "scope": {}}])
def test_what_is_no_alert_stops_no_other(db: Connection, data: dict[str, Any]) -> None:
    (number,) = add_numbers(db, 1)
    at = datetime.now(UTC)
    odd = SimpleNamespace(event_id="odd", type="account", session=BUSINESS, at=at, data=data)
    alerts.apply(db, [odd, event(db, "account_review_update", {"decision": "APPROVED"})])
    assert Kind.REVIEW in kinds(db, number)
