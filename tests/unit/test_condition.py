"""One code says what is wrong with a device, and the worst comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.condition import REMEDIES, Condition, Facts, Remedy, condition, urgency

WELL = Facts(
    bridge_away=False,
    can_send=True,
    qr_required=False,
    restricted=False,
    at_cap=False,
    state="open",
    error_code=None,
)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, "ready"),
        ({"at_cap": True}, "at_cap"),
        ({"bridge_away": True}, "bridge_away"),
        ({"can_send": False, "state": "wrong_bridge", "error_code": "wrong_bridge"}, "wrong_bridge"),
        ({"can_send": False, "state": "closed", "error_code": "not_connected"}, "not_connected"),
        ({"can_send": False, "state": "no_session", "error_code": "no_session"}, "not_connected"),
        ({"can_send": False, "state": "qr", "qr_required": True, "error_code": "qr_required"}, "qr_required"),
        ({"can_send": False, "state": "logged_out", "qr_required": True}, "logged_out"),
        ({"can_send": False, "state": "banned", "qr_required": True}, "banned"),
        ({"can_send": False, "state": "open", "restricted": True}, "restricted"),
        ({"can_send": False, "state": "restricted", "error_code": "restricted"}, "restricted"),
        ({"can_send": False, "state": "new", "qr_required": False}, "starting"),
        # A session that was just scanned asks for nothing more, although the error of before is still there.
        ({"can_send": False, "state": "scanned", "error_code": "qr_required"}, "starting"),
        ({"can_send": False, "state": "token_refused", "error_code": "token_refused"}, "token_refused"),
        ({"can_send": False, "state": "not_registered", "error_code": "not_registered"}, "not_registered"),
        ({"can_send": False, "state": "payment_missing", "error_code": "payment_missing"}, "payment_missing"),
        # Without a token nobody knows anything else of the number.
        ({"can_send": False, "state": "token_refused", "restricted": True}, "token_refused"),
        # Whatever else is wrong, nobody knows while its bridge is away, and no cap matters while it cannot send.
        ({"can_send": False, "bridge_away": True, "state": "banned", "at_cap": True}, "bridge_away"),
        ({"can_send": False, "state": "closed", "at_cap": True}, "not_connected"),
    ],
)
def test_what_is_wrong(facts: dict[str, Any], code: str) -> None:
    assert condition(replace(WELL, **facts)) == code


def test_the_worst_comes_first_and_then_where_most_waits() -> None:
    seen = [(Condition.READY, 9), (Condition.QR_REQUIRED, 1), (Condition.BANNED, 0), (Condition.QR_REQUIRED, 5)]
    assert sorted(seen, key=lambda one: urgency(*one)) == [
        (Condition.BANNED, 0),
        (Condition.QR_REQUIRED, 5),
        (Condition.QR_REQUIRED, 1),
        (Condition.READY, 9),
    ]


def test_there_is_something_to_do_about_each() -> None:
    assert set(REMEDIES) == set(Condition)
    assert [one for one, remedy in REMEDIES.items() if remedy is Remedy.NOTHING] == [Condition.READY]
