"""The file that goes out with a template: a number uploads it once, and all its messages use that (R28)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from actors.runtime import Runtime
from bridge.cloud.absent import UNOPENED
from bridge.protocol import File, NotSent
from db.engine import run
from services import media
from services.deliver import Begun

WAIT_S = 1.0
OUT_S = 30.0
_AT_WORK = NotSent("media_uploading", "its file is being uploaded", "refused", retryable=True, retry_after_s=WAIT_S)


def header_of(world: Runtime, begun: Begun) -> File | NotSent | None:
    """The file of a message's header, uploaded; None when it has none. While one worker uploads it the others wait outside:
    their messages go back to the queue, and the device is not due until then."""
    media_id = None if begun.template is None else begun.template.get("media_id")
    if media_id is None:
        return None
    uploaded = partial(media.uploaded, media_id=media_id, device_id=begun.device_id)
    known = run(world.engine, uploaded)
    if known is not None:
        return known
    with world.mutex.hold(f"upload:{media_id}:{begun.device_id}") as held:
        if not held:
            return _AT_WORK
        known = run(world.engine, uploaded)  # by who had it before us
        return known if known is not None else _upload(world, begun, media_id)


def _upload(world: Runtime, begun: Begun, media_id: int) -> File | NotSent:
    kept = run(world.engine, lambda db: media.one(db, media_id))
    if kept is None:
        return NotSent("unsupported_media", "its file is not there any more", "refused", retryable=False)
    if world.cloud is None:
        return UNOPENED
    file = File(kept.mimetype, kept.filename, kept.content)
    answer = world.cloud.client.upload(begun.session, file)
    if isinstance(answer, NotSent):
        # A fault of theirs is nobody's: the number tries again later, and the people wait.
        out = answer.code == "whatsapp_failed"
        return replace(answer, code="media_uploading", retry_after_s=OUT_S) if out else answer
    run(world.engine, lambda db: media.uploaded_as(db, media_id, begun.device_id, answer))
    return replace(file, content=b"", uploaded=answer)
