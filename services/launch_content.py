"""What a launch sends, free text or a template of Meta's, and which devices that can go out from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from services import launch_devices, template_devices, template_filling
from services.devices import Candidate
from services.launch_request import Launch


@dataclass(frozen=True, slots=True)
class Content:
    """What goes out: ``message`` is a template of ours, and ``template``, if it is by one of Meta's, that as it is stored.
    ``devices`` are those of the right kind, whether they can send now or not."""

    message: str
    template: dict[str, Any] | None
    devices: list[Candidate]

    @property
    def needs_windows(self) -> bool:
        """Whether it goes only to people who have written to one of the devices."""
        return self.template is None and any(device.official for device in self.devices)


def of(db: Connection, request: Launch, candidates: Sequence[Candidate]) -> Content:
    """What a request sends from the devices that it may use.

    Raises Refused: MIXED_KINDS, or what is wrong with its template (services/template_filling.py,
    services/template_devices.py).
    """
    chosen = request.device_ids is not None
    if request.template is None:
        return Content(request.message, None, launch_devices.for_text(candidates, chosen=chosen))
    template = dict(request.template)
    if request.draft_id is None:  # a draft has its parts, which somebody has seen
        template = template_filling.stored(db, request.workspace_id, template, request.device_ids)
    template_filling.check(db, request.workspace_id, template)
    able = template_devices.that_can_send(db, request.workspace_id, template, candidates, chosen=chosen)
    return Content(template_filling.in_words(template), template, able)
