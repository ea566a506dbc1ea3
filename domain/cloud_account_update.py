"""What Meta tells of an account that it restricts, bans or lets go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.cloud_alert import Kind, Reading, inside, told, words
from domain.told_time import told_time

_STOPS_SENDING: Final = frozenset({"RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"})
_ACCESS_ENDED: Final = frozenset(
    {"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "PARTNER_APP_UNINSTALLED", "PARTNER_REMOVED"}
)


def account_update(value: Mapping[str, Any]) -> Reading:
    """An event of the kind ``account_update``."""
    event = words(value.get("event")) or ""
    if event == "DISABLED_UPDATE":
        return _ban(value)
    if event == "ACCOUNT_RESTRICTION":
        return _restriction(value)
    if event == "ACCOUNT_VIOLATION":
        details = told(type=inside(value, "violation_info", "violation_type"))
        return Reading(Kind.VIOLATION, "serious", details, look=True)
    if event in _ACCESS_ENDED:
        details = told(event=event, reason=inside(value, "disconnection_info", "reason"))
        return Reading(Kind.DISCONNECTED, "serious", details, look=True)
    return Reading(Kind.NOTICE, "info", told(event=event), look=event == "ACCOUNT_RECONNECTED")


def _ban(value: Mapping[str, Any]) -> Reading:
    details = told(date=inside(value, "ban_info", "waba_ban_date"))
    match inside(value, "ban_info", "waba_ban_state"):
        case "DISABLE":
            return Reading(Kind.BANNED, "serious", details, look=True)
        case "SCHEDULE_FOR_DISABLE":
            return Reading(Kind.BAN_PLANNED, "serious", details)
        case "REINSTATE":
            return Reading(Kind.REINSTATED, "info", details, look=True)
    return Reading(Kind.NOTICE, "warning", told(event="DISABLED_UPDATE"), look=True)


def _restriction(value: Mapping[str, Any]) -> Reading:
    """Several may be told at once, each with its end; sending is possible again after the last of those that forbid it."""
    told_of = value.get("restriction_info")
    entries = [each for each in told_of if isinstance(each, dict)] if isinstance(told_of, list) else []
    ends = {
        type: told_time(each.get("expiration")) for each in entries if (type := words(each.get("restriction_type")))
    }
    stopping = [end for type, end in ends.items() if type in _STOPS_SENDING]
    until = _last(stopping or list(ends.values()))
    details = told(
        types=sorted(ends),
        until=until.isoformat() if until else None,
        steps=next((steps for each in entries if (steps := words(each.get("remediation")))), None),
    )
    if stopping:
        return Reading(Kind.RESTRICTED, "serious", details, until, look=True)
    return Reading(Kind.LIMITED, "warning", details, until, look=True)


def _last(ends: list[datetime | None]) -> datetime | None:
    """When all of it is over; None when that is not known of each."""
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None
