"""What keeps a draft from being launched, each with the step where that is mended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from console import shown
from console.drafting import Drafting
from console.parts import senders
from console.views.new_steps import message
from console.words import _, _n
from domain import cloud_filling, cloud_template, template
from services.device_views import DeviceView

_STEPS: Final = ("people", "message", "pace", None)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why it cannot be launched yet, and the step where that is mended; None: on the page of the phones."""

    words: str
    step: str | None


def of(now: Drafting, own: list[DeviceView]) -> list[Obstacle]:
    """Those of a draft that would go out from ``own``, in the order of the steps."""
    found: list[Obstacle] = []
    if not now.people and not now.sums.will_receive:
        found.append(Obstacle(_("There is nobody to send to yet: upload the people."), "people"))
    found += [Obstacle(words, "message") for words in _of_message(now)]
    if now.draft.scheduled_at is not None and now.draft.scheduled_at <= datetime.now(UTC):
        found.append(Obstacle(_("The time it was to start has passed: choose another."), "pace"))
    return sorted(found + _of_phones(now, own), key=lambda obstacle: _STEPS.index(obstacle.step))


def _of_message(now: Drafting) -> list[str]:
    chosen = now.draft.template
    if chosen is None and message.wants_template(now):
        return [_("No template is chosen yet.")]
    if not now.draft.message.strip():
        return [_("The message has no text yet.")]
    if not _readable(now.draft.message):
        return [_("The message cannot be read: a brace is not as it should be.")]
    found = [] if chosen is None else _of_template(chosen)
    if not found and now.people and not now.sums.will_receive:
        found.append(_("Nobody would receive it: everybody lacks a value of the message."))
    outside = now.sums.outside_window
    if outside:
        found.append(
            _n(
                "{count} person has not written to these numbers within 24 hours, so WhatsApp takes no text of your own to"
                " them. Send a template.",
                "{count} people have not written to these numbers within 24 hours, so WhatsApp takes no text of your own"
                " to them. Send a template.",
                outside,
                count=shown.number(outside),
            )
        )
    return found


def _of_template(chosen: dict[str, Any]) -> list[str]:
    found: list[str] = []
    components, values = chosen["components"], chosen["values"]
    unfilled = len(cloud_filling.unfilled(components, values))
    if unfilled:
        found.append(
            _n(
                "{count} place of the template is not filled, or could be empty for somebody.",
                "{count} places of the template are not filled, or could be empty for somebody.",
                unfilled,
                count=shown.number(unfilled),
            )
        )
    if cloud_template.asked(components).header_file is not None and not chosen["media_id"]:
        found.append(_("The header of the template has no file yet."))
    return found


def _readable(text: str) -> bool:
    try:
        template.parse(text)
    except template.TemplateError:
        return False
    return True


def _of_phones(now: Drafting, own: list[DeviceView]) -> list[Obstacle]:
    may_send = any(phone.can_send or phone.bridge_away_since is not None for phone in own)
    chosen = now.draft.device_ids
    if now.draft.template is not None and not own and chosen is None:
        return [Obstacle(_("No number can send this template: choose another template."), "message")]
    if chosen is not None and len(own) < len(chosen):
        return [Obstacle(_("Not all of the chosen phones can send this template: choose again."), "pace")]
    if not own and chosen is not None:
        return [Obstacle(_("No phone is chosen: choose at least one."), "pace")]
    if senders.mixed(now.draft, own):
        return [Obstacle(senders.mixed_words(), "pace")]
    if not own or not (may_send or now.draft.scheduled_at is not None):
        return [Obstacle(_("No phone can send: connect one and launch again."), None)]
    return []
