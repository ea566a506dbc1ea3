"""Clone a campaign, launched or draft, into a new draft."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection, text

from db.queries import query
from domain.limits import LONGEST_TITLE
from services import audit
from services.refused import Refused

COPY = " (Copy)"


def clone(db: Connection, workspace_id: int, campaign_id: int, *, who: str) -> int:
    """A draft with the same message, people, devices and pace, not scheduled; returns its id.

    The people of a launched campaign are those of its messages, whatever became of them; of a draft, its file comes along.
    Raises Refused, NOT_FOUND.
    """
    draft_id = db.execute(
        query("clone_campaign"),
        {
            "id": campaign_id,
            "workspace_id": workspace_id,
            "copy": COPY,
            "kept": LONGEST_TITLE - len(COPY),
            "job_id": uuid4(),
        },
    ).scalar_one_or_none()
    if draft_id is None:
        raise Refused("NOT_FOUND", "There is no campaign {id}.", id=campaign_id)
    values = {"from_id": campaign_id, "to_id": draft_id}
    db.execute(query("clone_people"), values)
    db.execute(
        text(
            "INSERT INTO draft_files (campaign_id, name, content, encoding, delimiter, phone_column, name_column, found)"
            " SELECT :to_id, name, content, encoding, delimiter, phone_column, name_column, found"
            " FROM draft_files WHERE campaign_id = :from_id"
        ),
        values,
    )
    db.execute(
        text(
            "INSERT INTO rejected_rows (campaign_id, row, phone, reason, cells)"
            " SELECT :to_id, r.row, r.phone, r.reason, r.cells FROM rejected_rows r JOIN campaigns c ON c.id = r.campaign_id"
            " WHERE c.id = :from_id AND c.status = 'draft'"
        ),
        values,
    )
    audit.write(db, workspace_id, who, "clone", f"campaign:{draft_id}", {"from": campaign_id})
    return int(draft_id)
