"""Which of our phones a draft can go out from: a template from the numbers that have it, a text by the rule for texts."""

from __future__ import annotations

from collections.abc import Sequence

from console import reading
from console.words import _
from services import templates
from services.device_views import DeviceView
from services.drafts import Draft

CLOUD = "cloud"


def offered(draft: Draft, phones: Sequence[DeviceView]) -> list[DeviceView]:
    """Those that can be chosen: for a template only the numbers that can send it."""
    if draft.template is None:
        return list(phones)
    having = _having(draft.template["name"], draft.template["language"])
    return [phone for phone in phones if phone.id in having]


def used(draft: Draft, phones: Sequence[DeviceView]) -> list[DeviceView]:
    """Those that it goes out from as it stands: what is chosen, or else all; a text then goes out from official numbers only
    where nothing else can send it."""
    can = offered(draft, phones)
    if draft.device_ids is not None:
        return [phone for phone in can if phone.id in draft.device_ids]
    if draft.template is not None:
        return can
    official = [phone for phone in can if phone.provider == CLOUD]
    others = [phone for phone in can if phone.provider != CLOUD]
    only_official = any(map(_may_send, official)) and not any(map(_may_send, others))
    return official if only_official or not others else others


def mixed(draft: Draft, phones: Sequence[DeviceView]) -> bool:
    """A text cannot go out from both kinds: official numbers may send it to some people only."""
    return draft.template is None and len({phone.provider == CLOUD for phone in used(draft, phones)}) > 1


def _may_send(phone: DeviceView) -> bool:
    """Not known to be unable: of a phone whose bridge is away nobody knows."""
    return phone.can_send or phone.bridge_away_since is not None


def mixed_words() -> str:
    """Why not, and what to do."""
    return _(
        "A text goes out either from official numbers or from other phones, not from both: choose one kind, or send a"
        " template from the official numbers."
    )


def _having(name: str, language: str) -> frozenset[int]:
    """The numbers whose account has this template approved."""
    seen = reading.read(templates.usable)
    found = seen.value if seen.known else []
    return frozenset(
        device_id for each in found if (each.name, each.language) == (name, language) for device_id in each.device_ids
    )
