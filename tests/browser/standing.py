"""What stands before somebody comes to the console: phones that send, and drafts that were begun."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from fleet import Fleet
from people import add_devices, workspace

from services import draft_file, drafts
from services.draft_file import How

# Settings of a fleet that sends by Meta's Cloud API
CLOUD = {
    "cloud_token_key": base64.b64encode(bytes(range(32))).decode(),
    "cloud_app_secret": "the app secret of the tests",
    "cloud_verify_token": "the verify token of the tests",
}


def add_phones(fleet: Fleet, count: int, *, name: str = "phone", gap_s: float = 0.02) -> list[int]:
    """Phones of ours whose sessions are open at the simulator; their ids."""
    fleet.sessions_can_send(*(f"{name}{number}" for number in range(1, count + 1)))
    with fleet.engine.begin() as db:
        return add_devices(db, count, gap_s=gap_s, name=name)


def csv(numbers: Sequence[str]) -> bytes:
    """A file with a name for each of these numbers."""
    rows = [f"{number},Person {place}" for place, number in enumerate(numbers, start=1)]
    return "\n".join(["phone,name", *rows]).encode()


def add_draft(fleet: Fleet, numbers: Sequence[str], *, title: str, message: str = "Hello {name}") -> int:
    """A draft that lacks nothing but its launch; its id."""
    content = csv(numbers)
    with fleet.engine.begin() as db:
        draft_id = drafts.create(db, workspace(db), {"title": title, "message": message}, who="dana")
        read = draft_file.read(content, How(), "IL")
        draft_file.keep(db, workspace(db), draft_id, "people.csv", content, read, who="dana")
    return draft_id
