"""Launch a draft: the move out of ``draft`` happens once, whoever asks for it and however often."""

from __future__ import annotations

from sqlalchemy import Connection, text

from services import campaign_views, draft_people, drafts, launch, rejected
from services.launch import Launched
from services.launch_request import Launch
from services.refused import Refused


def launch_draft(db: Connection, workspace_id: int, draft_id: int, *, who: str, allow_repeat: bool = False) -> Launched:
    """Launch a draft, or say how its launch stands when that has happened already.

    When the same content was launched within ten minutes the draft stays a draft, and the answer is that other campaign,
    ``idempotent``; ``allow_repeat`` launches all the same. Ask the bridges first (services/connection_check.py).

    Raises Refused: NOT_FOUND, TIME_PASSED when it is scheduled for a time that is over, or as ``launch`` does.
    """
    _lock(db, workspace_id, draft_id)
    draft = drafts.one(db, workspace_id, draft_id)
    if draft is None:
        if campaign_views.status_of(db, workspace_id, draft_id) is None:
            raise drafts.not_found()
        return launch.describe(db, draft_id, (), idempotent=True)
    _check(db, draft)
    launch.take_time(db)
    launched = launch.launch(
        db,
        Launch(
            workspace_id=workspace_id,
            message=draft.message,
            people=draft_people.every(db, draft_id),
            rejected=rejected.every(db, draft_id),
            title=draft.title,
            device_ids=draft.device_ids,
            min_delay_s=draft.min_delay_s,
            max_delay_s=draft.max_delay_s,
            scheduled_at=draft.scheduled_at,
            allow_repeat=allow_repeat,
            save_leads=draft.save_leads,
            headers=draft.headers,
            phone_header=draft.phone_header or "phone",
            draft_id=draft_id,
            who=who,
            template=draft.template,
        ),
    )
    if launched.campaign_id == draft_id:
        db.execute(text("DELETE FROM draft_files WHERE campaign_id = :id"), {"id": draft_id})
        db.execute(text("DELETE FROM draft_people WHERE campaign_id = :id"), {"id": draft_id})
    return launched


def _lock(db: Connection, workspace_id: int, draft_id: int) -> None:
    """Of launches and changes at the same time one goes first, and the others then see what became of it."""
    db.execute(
        text("SELECT 1 FROM campaigns WHERE id = :id AND workspace_id = :workspace_id FOR UPDATE"),
        {"id": draft_id, "workspace_id": workspace_id},
    )


def _check(db: Connection, draft: drafts.Draft) -> None:
    if draft.template is None and not draft.message.strip():
        raise Refused("BAD_MESSAGE", "The message has no text yet.", {"field": "message"})
    passed = db.execute(text("SELECT :at <= clock_timestamp()"), {"at": draft.scheduled_at}).scalar_one()
    if passed:
        raise Refused("TIME_PASSED", "The time it was to start has passed: choose another.", {"field": "scheduled_at"})
