"""Which devices a launch sends from (R4): of the kind that its content needs, and not known to be unable to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from db.queries import query
from services import devices
from services.conversations import OPEN_S
from services.devices import Candidate
from services.refused import Refused

OUTSIDE_SAMPLE = 20  # people outside the window whom a refusal names


def found(db: Connection, workspace_id: int, device_ids: Sequence[int] | None) -> list[Candidate]:
    """The chosen devices, or all (None). Raises Refused, UNKNOWN_DEVICE."""
    candidates = devices.for_launch(db, workspace_id, device_ids)
    unknown = set(device_ids or ()) - {device.id for device in candidates}
    if unknown:
        raise Refused(
            "UNKNOWN_DEVICE",
            "There is no device {id}.",
            {"field": "device_ids", "unknown": sorted(unknown)},
            id=min(unknown),
        )
    return candidates


def for_text(candidates: Sequence[Candidate], *, chosen: bool) -> list[Candidate]:
    """Those that free text goes out from: all that were ``chosen``, which must be of one kind; else those that are no
    official numbers, because to write freely from these people must have written first, unless only these can send.

    Raises Refused, MIXED_KINDS.
    """
    official = [device for device in candidates if device.official]
    others = [device for device in candidates if not device.official]
    if chosen and official and others:
        raise Refused(
            "MIXED_KINDS",
            "Official numbers and other phones cannot send the same text together: choose phones of one kind.",
            {"field": "device_ids", "official": [device.id for device in official]},
        )
    only_official_able = not any(device.may_send for device in others) and any(device.may_send for device in official)
    return official if only_official_able or not others else others


def that_need_windows(candidates: Sequence[Candidate], *, chosen: bool) -> list[int] | None:
    """The official numbers that free text would go out from, as ``for_text`` and ``that_launch`` choose them; None when it
    goes out from others, or could not go out at all."""
    official = [device for device in candidates if device.official]
    if not official or (chosen and len(official) < len(candidates)):
        return None
    fitting = for_text(candidates, chosen=chosen)
    return _used(fitting, chosen=chosen) if fitting[0].official else None


def that_launch(
    candidates: Sequence[Candidate], fitting: Sequence[Candidate], *, chosen: bool, later: bool
) -> list[int]:
    """Of the devices that fit, those that the campaign uses. Raises Refused, WHATSAPP_NOT_CONNECTED, when it is known that
    none of them can send."""
    able = any(device.may_send for device in fitting)
    # For a time to come it is enough that there are devices: whether they can send is asked when it fires.
    if not able and not (later and fitting):
        raise Refused(
            "WHATSAPP_NOT_CONNECTED",
            "No phone can send: connect one and launch again.",
            {"requires_connection": True, "devices": [device.trouble() for device in candidates]},
        )
    return _used(fitting, chosen=chosen)


def _used(fitting: Sequence[Candidate], *, chosen: bool) -> list[int]:
    """A chosen device may come back and help; of those that nobody chose it is the ones that can send now, if any can."""
    able = [device.id for device in fitting if device.may_send]
    return able if able and not chosen else [device.id for device in fitting]


def check_windows(db: Connection, workspace_id: int, device_ids: Sequence[int], starts_at: datetime | None) -> None:
    """Everybody in ``launch_people`` may be written to freely from one of these official numbers when it starts.

    Raises Refused, OUTSIDE_WINDOW, with how many may not.
    """
    outside = db.execute(
        query("outside_window"),
        {
            "workspace_id": workspace_id,
            "device_ids": list(device_ids),
            "starts_at": starts_at,
            "open_s": OPEN_S,
            "sample": OUTSIDE_SAMPLE,
        },
    ).all()
    if outside:
        raise Refused(
            "OUTSIDE_WINDOW",
            "{outside_count} people have not written to the number within the last 24 hours, so WhatsApp takes no free text"
            " to them: send a template, or leave them out.",
            {
                "outside_count": outside[0].people,
                "sample": [{"phone": row.phone, "row": row.row} for row in outside],
            },
        )
