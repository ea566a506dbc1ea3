"""What Meta tells of a number or its account, read from the fields of its webhooks.

Source: Meta's reference of them. What it adds is a ``notice`` until we know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from domain.cloud_account_update import account_update
from domain.cloud_alert import Kind, Reading, Severity, inside, told, words

_SEVERITIES: Final[Mapping[str, Severity]] = MappingProxyType({"CRITICAL": "serious", "WARNING": "warning"})
# What happens to a template and leaves it in another state, which but for one is called the same.
STATUS_EVENTS: Final = frozenset(
    {
        "APPROVED",
        "ARCHIVED",
        "DELETED",
        "DISABLED",
        "IN_APPEAL",
        "PAUSED",
        "PENDING",
        "PENDING_DELETION",
        "REINSTATED",
        "REJECTED",
    }
)


def reading(kind: str, value: Mapping[str, Any]) -> Reading:
    """What an event of the type ``account`` says: ``kind`` is Meta's name of the field, ``value`` what it holds, whatever
    that may be."""
    reader = _READERS.get(kind)
    return reader(value) if reader else Reading(Kind.NOTICE, "info", told(event=kind))


def template_status(event: str) -> str | None:
    """The status that a template has after an event; None when that does not follow from it."""
    if event not in STATUS_EVENTS:
        return None
    return "APPROVED" if event == "REINSTATED" else event


def _account_alert(value: Mapping[str, Any]) -> Reading:
    severity = _SEVERITIES.get(inside(value, "alert_info", "alert_severity") or "", "info")
    details = told(
        event=inside(value, "alert_info", "alert_type"), words=inside(value, "alert_info", "alert_description")
    )
    return Reading(Kind.NOTICE, severity, details)


def _review(value: Mapping[str, Any]) -> Reading:
    decision = words(value.get("decision"))
    return Reading(Kind.REVIEW, "serious" if decision == "REJECTED" else "info", told(decision=decision), look=True)


def _quality(value: Mapping[str, Any]) -> Reading:
    """A number that is *flagged* has the quality that Meta calls red. When the flag is taken away it is not told which it
    has, so it is asked for. Of a change of speed ``current_limit`` tells the speed."""
    event = words(value.get("event"))
    limit = value.get("max_daily_conversations_per_business")
    if limit is None and event != "THROUGHPUT_UPGRADE":
        limit = value.get("current_limit")
    quality = "RED" if event == "FLAGGED" else None
    severity: Severity = "warning" if event in ("FLAGGED", "DOWNGRADE") else "info"
    return Reading(Kind.QUALITY, severity, told(event=event, quality=quality, messaging_limit=_limit(limit)), look=True)


def _capability(value: Mapping[str, Any]) -> Reading:
    limit = _limit(value.get("max_daily_conversations_per_business"))
    numbers = value.get("max_phone_numbers_per_business")
    return Reading(
        Kind.LIMIT, "info", told(messaging_limit=limit, numbers=numbers if isinstance(numbers, int) else None)
    )


def _name(value: Mapping[str, Any]) -> Reading:
    decision, reason = words(value.get("decision")), words(value.get("rejection_reason"))
    details = told(
        decision=decision,
        name=words(value.get("requested_verified_name")),
        reason=None if reason == "NONE" else reason,
    )
    return Reading(Kind.NAME, "warning" if decision == "REJECTED" else "info", details)


def _template(value: Mapping[str, Any]) -> Reading:
    event, reason = words(value.get("event")), words(value.get("reason"))
    why = inside(value, "other_info", "description") or (None if reason == "NONE" else reason)
    severity: Severity = "warning" if event in ("DISABLED", "FLAGGED", "PAUSED", "REJECTED") else "info"
    return Reading(Kind.TEMPLATE, severity, told(**_of_template(value), event=event, reason=why))


def _template_quality(value: Mapping[str, Any]) -> Reading:
    quality = words(value.get("new_quality_score"))
    details = told(**_of_template(value), quality=quality, before=words(value.get("previous_quality_score")))
    return Reading(Kind.TEMPLATE_QUALITY, "warning" if quality == "RED" else "info", details)


def _error(value: Mapping[str, Any]) -> Reading:
    code = value.get("code")
    reason = inside(value, "error_data", "details") or words(value.get("message")) or words(value.get("title"))
    return Reading(Kind.ERROR, "warning", told(code=code if isinstance(code, int) else None, reason=reason))


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Reading]]] = MappingProxyType(
    {
        "account_alerts": _account_alert,
        "account_review_update": _review,
        "account_update": account_update,
        "business_capability_update": _capability,
        "errors": _error,
        "message_template_quality_update": _template_quality,
        "message_template_status_update": _template,
        "phone_number_name_update": _name,
        "phone_number_quality_update": _quality,
    }
)


def _of_template(value: Mapping[str, Any]) -> dict[str, Any]:
    """Which template: webhooks also write its language with a hyphen."""
    language = words(value.get("message_template_language"))
    return {
        "name": words(value.get("message_template_name")),
        "language": None if language is None else language.replace("-", "_"),
    }


def _limit(value: object) -> str | None:
    limit = words(value)
    return limit if limit is not None and limit.startswith("TIER_") else None
