"""What Meta tells of a number or its account, in all shapes that its reference documents, and in some that it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cloud_alert import Kind
from domain.cloud_alerts import STATUS_EVENTS, reading, template_status

UNTIL = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)  # 1800000000
LATER = "2027-01-15T09:00:00+0000"
INITIATED, REPLIES, ADDING = (
    "RESTRICTED_BIZ_INITIATED_MESSAGING",
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION",
)


def restriction(*types_and_ends: tuple[str, Any]) -> dict[str, Any]:
    entries = [{"restriction_type": type, "expiration": end} for type, end in types_and_ends]
    return {"event": "ACCOUNT_RESTRICTION", "restriction_info": entries}


def ban(state: Any) -> dict[str, Any]:
    return {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state, "waba_ban_date": "April 17, 2025"}}


def template(event: str, **more: Any) -> dict[str, Any]:
    return {
        "event": event,
        "message_template_id": 12,
        "message_template_name": "sale",
        "message_template_language": "pt-BR",
        "reason": "NONE",
        **more,
    }


def quality(event: str, **more: Any) -> dict[str, Any]:
    return {"display_phone_number": "15550783881", "event": event, **more}


SALE = {"name": "sale", "language": "pt_BR"}
ALERT = {"alert_severity": "CRITICAL", "alert_type": "OBA_REJECTED", "alert_description": "No"}


@pytest.mark.parametrize(
    ("field", "value", "kind", "severity", "details"),
    [
        ("account_update", ban("DISABLE"), Kind.BANNED, "serious", {"date": "April 17, 2025"}),
        ("account_update", ban("SCHEDULE_FOR_DISABLE"), Kind.BAN_PLANNED, "serious", {"date": "April 17, 2025"}),
        ("account_update", ban("REINSTATE"), Kind.REINSTATED, "info", {"date": "April 17, 2025"}),
        ("account_update", ban(["DISABLE", "REINSTATE"]), Kind.NOTICE, "warning", {"event": "DISABLED_UPDATE"}),
        (
            "account_update",
            {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}},
            Kind.VIOLATION,
            "serious",
            {"type": "ADULT"},
        ),
        (
            "account_update",
            {"event": "PARTNER_REMOVED", "disconnection_info": {"reason": "PRIMARY_INACTIVITY"}},
            Kind.DISCONNECTED,
            "serious",
            {"event": "PARTNER_REMOVED", "reason": "PRIMARY_INACTIVITY"},
        ),
        ("account_update", {"event": "NEW"}, Kind.NOTICE, "info", {"event": "NEW"}),
        (
            "account_alerts",
            {"alert_info": ALERT},
            Kind.NOTICE,
            "serious",
            {"event": "OBA_REJECTED", "words": "No"},
        ),
        ("account_review_update", {"decision": "REJECTED"}, Kind.REVIEW, "serious", {"decision": "REJECTED"}),
        (
            "phone_number_quality_update",
            quality("FLAGGED"),
            Kind.QUALITY,
            "warning",
            {"event": "FLAGGED", "quality": "RED"},
        ),
        (
            "phone_number_quality_update",
            quality("UPGRADE", old_limit="TIER_1K", current_limit="TIER_10K"),
            Kind.QUALITY,
            "info",
            {"event": "UPGRADE", "messaging_limit": "TIER_10K"},
        ),
        (
            "phone_number_quality_update",
            quality("DOWNGRADE", current_limit="TIER_10K", max_daily_conversations_per_business="TIER_2K"),
            Kind.QUALITY,
            "warning",
            {"event": "DOWNGRADE", "messaging_limit": "TIER_2K"},
        ),
        (
            "phone_number_quality_update",
            quality("THROUGHPUT_UPGRADE", current_limit="TIER_UNLIMITED"),
            Kind.QUALITY,
            "info",
            {"event": "THROUGHPUT_UPGRADE"},
        ),
        (
            "business_capability_update",
            {"max_daily_conversations_per_business": "TIER_100K", "max_phone_numbers_per_business": 25},
            Kind.LIMIT,
            "info",
            {"messaging_limit": "TIER_100K", "numbers": 25},
        ),
        ("business_capability_update", {"max_daily_conversation_per_phone": 1000}, Kind.LIMIT, "info", {}),
        (
            "phone_number_name_update",
            {"decision": "REJECTED", "requested_verified_name": "Dana's", "rejection_reason": "NAME_FORMAT"},
            Kind.NAME,
            "warning",
            {"decision": "REJECTED", "name": "Dana's", "reason": "NAME_FORMAT"},
        ),
        ("message_template_status_update", template("APPROVED"), Kind.TEMPLATE, "info", SALE | {"event": "APPROVED"}),
        (
            "message_template_status_update",
            template("PAUSED", other_info={"title": "FIRST_PAUSE", "description": "For 3 hours"}),
            Kind.TEMPLATE,
            "warning",
            SALE | {"event": "PAUSED", "reason": "For 3 hours"},
        ),
        (
            "message_template_quality_update",
            template("", previous_quality_score="GREEN", new_quality_score="RED"),
            Kind.TEMPLATE_QUALITY,
            "warning",
            SALE | {"quality": "RED", "before": "GREEN"},
        ),
        ("errors", {"code": 131000, "title": "Oh"}, Kind.ERROR, "warning", {"code": 131000, "reason": "Oh"}),
        ("security", {"event": "PIN"}, Kind.NOTICE, "info", {"event": "security"}),
    ],
)
def test_what_is_documented(
    field: str, value: dict[str, Any], kind: Kind, severity: str, details: dict[str, Any]
) -> None:
    read = reading(field, value)
    assert (read.kind, read.severity, read.details) == (kind, severity, details)


@pytest.mark.parametrize(
    ("told", "kind", "until"),
    [
        ([(INITIATED, 1800000000)], Kind.RESTRICTED, UNTIL),
        ([(INITIATED, "1800000000"), (ADDING, LATER)], Kind.RESTRICTED, UNTIL),
        ([(INITIATED, 1800000000), (REPLIES, LATER)], Kind.RESTRICTED, UNTIL.replace(hour=9)),
        ([(INITIATED, 1800000000), (REPLIES, None)], Kind.RESTRICTED, None),
        ([(REPLIES, "some day")], Kind.RESTRICTED, None),
        ([(ADDING, 1800000000)], Kind.LIMITED, UNTIL),
        ([("RESTRICTED_USER_INITIATED_CALLING", None)], Kind.LIMITED, None),
        ([], Kind.LIMITED, None),
    ],
)
def test_restrictions_and_their_end(told: list[tuple[str, Any]], kind: Kind, until: datetime | None) -> None:
    read = reading("account_update", restriction(*told))
    assert (read.kind, read.until) == (kind, until)
    assert read.details["types"] == sorted(type for type, _ in told)
    assert read.details.get("until") == (until.isoformat() if until else None)


def test_the_state_of_a_template() -> None:
    assert {
        event: template_status(event) for event in ("APPROVED", "PAUSED", "REINSTATED", "FLAGGED", "UNARCHIVED")
    } == {
        "APPROVED": "APPROVED",
        "PAUSED": "PAUSED",
        "REINSTATED": "APPROVED",
        "FLAGGED": None,  # will be disabled, and is not yet
        "UNARCHIVED": None,  # to the state that it had before, which is not told
    }
    assert all(template_status(event) for event in STATUS_EVENTS)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=600)
    | st.sampled_from([INITIATED, "TIER_1K", "DISABLE"]),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["restriction_type", "expiration", "waba_ban_state", "alert_severity", "description"]),
            parts,
        )
    ),
    max_leaves=10,
)


@given(
    st.sampled_from(
        [
            "account_alerts",
            "account_review_update",
            "account_update",
            "business_capability_update",
            "errors",
            "message_template_quality_update",
            "message_template_status_update",
            "phone_number_name_update",
            "phone_number_quality_update",
        ]
    ),
    st.dictionaries(
        st.sampled_from(["event", "restriction_info", "ban_info", "alert_info", "other_info", "decision", "code"])
        | st.sampled_from(["current_limit", "message_template_language", "new_quality_score", "rejection_reason"]),
        ANYTHING | st.sampled_from(["ACCOUNT_RESTRICTION", "DISABLED_UPDATE", "FLAGGED"]),
    ),
)
def test_whatever_it_holds_it_can_be_read_and_stored(field: str, value: dict[str, Any]) -> None:
    read = reading(field, value)
    assert len(json.dumps(read.details)) < 20_000
    assert read.severity in ("info", "warning", "serious")
