"""How Meta says that its numbers are, as health of sessions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bridge.protocol import BridgeRefusedError, SessionStatus

# What is asked of a number. The tier that each number once had is of its whole portfolio now, and has another name.
FIELDS: Final = "id,display_phone_number,verified_name,status,quality_rating,whatsapp_business_manager_messaging_limit"

NOT_THERE: Final = "Its business account at Meta does not have this number"
ABLE: Final = "open"
# Meta's words for the states in which a number does not send, and ours. RESTRICTED and RATE_LIMITED: it has written to as
# many people as it may in 24 hours. Those that send are not here, and FLAGGED is one of them: its quality is low, and its
# limit falls if that stays so. Nor are words that are new: whether such a number can send, its next send tells.
_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BANNED": "banned",
        "RESTRICTED": "restricted",
        "RATE_LIMITED": "restricted",
        "DISCONNECTED": "not_connected",
        "PENDING": "not_registered",
        "UNVERIFIED": "not_registered",
        "DELETED": "not_registered",
        "MIGRATED": "not_registered",
    }
)


def status_of(number: Mapping[str, Any]) -> SessionStatus:
    """A number as Meta describes it. Raises KeyError without its id."""
    word = str(number.get("status") or "")
    state = _STATES.get(word, ABLE)
    digits = re.sub(r"[^0-9]", "", str(number.get("display_phone_number") or ""))
    return _status(
        str(number["id"]),
        state,
        phone=f"+{digits}" if digits else None,
        last_error=None if state == ABLE else f"Meta calls it {word}",
        quality=_word(number.get("quality_rating")),
        messaging_limit=_word(number.get("whatsapp_business_manager_messaging_limit")),
    )


def missing(session: str) -> SessionStatus:
    """A number that its business account does not have."""
    return _status(session, "not_registered", last_error=NOT_THERE)


def refused(session: str, error: BridgeRefusedError) -> SessionStatus:
    """A number about which Meta refuses to tell, with a code of the number's own."""
    return _status(session, error.code, last_error=error.reason)


def _status(
    session: str,
    state: str,
    *,
    last_error: str | None,
    phone: str | None = None,
    quality: str | None = None,
    messaging_limit: str | None = None,
) -> SessionStatus:
    return SessionStatus(
        session=session,
        state=state,
        connected=state in (ABLE, "restricted"),
        can_send=state == ABLE,
        qr_required=False,
        session_age_s=None,
        phone=phone,
        last_error=last_error,
        restricted_until=None,
        quality=quality,
        messaging_limit=messaging_limit,
    )


def _word(found: Any) -> str | None:
    return str(found) if found else None
