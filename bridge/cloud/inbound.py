"""What people send us, as Meta's webhooks tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bridge.cloud.piece import Piece, name_in, objects, phone_in, piece_of, text_in
from domain.told_time import told_time

_MEDIA: Final = frozenset({"image", "video", "audio", "document", "sticker"})
# Where the words of each kind stand. A button that was pressed is what its presser says: an opt-out may come by one.
_WORDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "text": (("text", "body"),),
    "button": (("button", "text"),),
    "interactive": (("interactive", "button_reply", "title"), ("interactive", "list_reply", "title")),
    "image": (("image", "caption"),),
    "video": (("video", "caption"),),
    "document": (("document", "caption"), ("document", "filename")),
    "location": (("location", "name"),),
    "reaction": (("reaction", "emoji"),),
    "system": (("system", "body"),),
}
_KINDS: Final = {"button": "text", "interactive": "text", "contacts": "contact"}  # the others are called as Meta does


def names(contacts: Any) -> dict[str, str]:
    """What people call themselves, by number in E.164."""
    found = ((phone_in(each, "wa_id"), text_in(each, "profile", "name")) for each in objects(contacts))
    return {phone: name for phone, name in found if phone and name}


def message(item: dict[str, Any], session: str, called: dict[str, str], at: datetime) -> Piece | None:
    """A message of a person; None when it is not known whose, or of what kind. What is said in a group is nobody's."""
    message_id, phone, kind = name_in(item, "id"), phone_in(item, "from"), name_in(item, "type")
    if message_id is None or phone is None or kind is None or "group_id" in item:
        return None
    words = (text_in(item, *path) for path in _WORDS.get(kind, ()))
    data = {
        "message_id": message_id,
        "from": phone,
        "name": called.get(phone),
        "kind": _KINDS.get(kind, kind),
        "text": next((each for each in words if each), None),
        "media": _media(item, kind),
    }
    return piece_of(item, "inbound", session, told_time(item.get("timestamp")) or at, data)


def preference(item: dict[str, Any], session: str, at: datetime) -> Piece | None:
    """Which messages a person wants; None when it is not known whose wish this is, or what it is."""
    phone, value, category = phone_in(item, "wa_id"), name_in(item, "value"), name_in(item, "category")
    if phone is None or value is None or category is None or not category.startswith("marketing"):
        return None
    data = {"phone": phone, "category": category, "value": value, "detail": text_in(item, "detail")}
    return piece_of(item, "preference", session, told_time(item.get("timestamp")) or at, data)


def _media(item: dict[str, Any], kind: str) -> dict[str, str | None] | None:
    """What is needed to fetch a file; Meta keeps it for some days."""
    if kind not in _MEDIA or (provider_id := name_in(item, kind, "id")) is None:
        return None
    return {
        "id": provider_id,
        "mimetype": name_in(item, kind, "mime_type"),
        "filename": name_in(item, kind, "filename"),
    }
