"""Who has written to a number of the Cloud API, and when: WhatsApp takes free text to them for 24 hours from then.

Also what people tell WhatsApp itself of the messages they want.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from services import suppress

WINDOW_S = 86_400.0
# A message that waits a little must still arrive in the window, so for us it ends this much earlier.
MARGIN_S = 600.0
OPEN_S = WINDOW_S - MARGIN_S

# WhatsApp speaks of these as messages, but whether they open a window it does not say, or it wrote them itself.
_OPENS_NOTHING = ("system", "reaction")
_STOP = "stop"


def apply(db: Connection, events: Iterable[Any]) -> None:
    """Write down what events (rows with type, session, at, data) of the types ``inbound`` and ``preference`` say.

    ``at`` must not lie in the future. A window is only ever moved on, so order and repetition do not matter.
    """
    rows = list(events)
    _open_windows(db, [event for event in rows if event.type == "inbound"])
    for event in rows:
        if event.type == "preference" and event.data.get("value") == _STOP and event.data.get("phone"):
            _stop(db, event)


def _open_windows(db: Connection, inbound: list[Any]) -> None:
    last: dict[tuple[str, str], datetime] = {}
    for event in inbound:
        if event.data.get("kind") in _OPENS_NOTHING or not event.data.get("from"):
            continue
        of = (event.session, str(event.data["from"]))
        last[of] = max(last.get(of, event.at), event.at)
    if not last:
        return
    db.execute(
        text(
            "INSERT INTO conversations (device_id, phone, last_inbound_at)"
            " SELECT d.id, t.phone, t.at FROM unnest(CAST(:sessions AS text[]), CAST(:phones AS text[]),"
            "   CAST(:ats AS timestamptz[])) AS t (session, phone, at)"
            " JOIN devices d ON d.session = t.session AND d.provider = 'cloud'"
            " ORDER BY 1, 2"  # everybody takes these rows in the same order
            " ON CONFLICT (device_id, phone) DO UPDATE"
            " SET last_inbound_at = greatest(conversations.last_inbound_at, excluded.last_inbound_at)"
        ),
        {
            "sessions": [session for session, _ in last],
            "phones": [phone for _, phone in last],
            "ats": list(last.values()),
        },
    )


def _stop(db: Connection, event: Any) -> None:
    """Somebody has told WhatsApp to let no more offers of this number through. That they allow them again is not applied:
    to take somebody off the never-send list is for a person to decide."""
    workspace_id = db.execute(
        text("SELECT workspace_id FROM devices WHERE session = :session AND provider = 'cloud'"),
        {"session": event.session},
    ).scalar_one_or_none()
    if workspace_id is not None:
        proof = f"told by WhatsApp on {event.at:%Y-%m-%d %H:%M} UTC: {event.data.get('detail')}"
        suppress.suppress(db, workspace_id, str(event.data["phone"]), reason="opt_out", proof=proof)
