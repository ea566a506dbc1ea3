"""One effect for a request that comes more than once under the same Idempotency-Key (kept for 24 hours)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from services.refused import Refused

KEPT_S = 86_400

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request with its key. ``request_hash`` stands for all that it asks for, its address included."""

    workspace_id: int
    key: str
    request_hash: str

    @property
    def row_key(self) -> str:
        return f"header:{self.key}"


def find(db: Connection, keyed: Keyed) -> Answer | None:
    """The answer that was given to this request, or None. Raises Refused, IDEMPOTENCY_KEY_REUSED, as ``once`` does."""
    row = db.execute(
        text(
            "SELECT request_hash, answer FROM idempotency WHERE workspace_id = :workspace_id AND key = :key"
            " AND launched_at >= clock_timestamp() - make_interval(secs => :kept_s)"
        ),
        {"workspace_id": keyed.workspace_id, "key": keyed.row_key, "kept_s": KEPT_S},
    ).one_or_none()
    if row is None:
        return None
    if row.request_hash != keyed.request_hash:
        raise Refused(
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key was used for a different request: use a new key, or repeat that request unchanged.",
            {"field": "Idempotency-Key"},
        )
    answer: Answer = row.answer
    return answer


def once(db: Connection, keyed: Keyed, do: Callable[[], Answer]) -> Answer:
    """Do it and keep its answer, in this transaction, or give the answer that is kept.

    Of requests at the same instant one gets the row; the others wait here for its commit, and then find the answer. When
    it is refused nothing is kept, so the same key can try again.
    """
    names = {"workspace_id": keyed.workspace_id, "key": keyed.row_key}
    taken = db.execute(
        query("take_key"), {**names, "request_hash": keyed.request_hash, "kept_s": KEPT_S}
    ).scalar_one_or_none()
    if taken is None:
        first = find(db, keyed)
        if first is None:
            raise RuntimeError("the answer to the first of these requests is neither there nor over")
        return first
    answer = do()
    db.execute(
        text(
            "UPDATE idempotency SET answer = CAST(:answer AS jsonb) WHERE workspace_id = :workspace_id AND key = :key"
        ),
        {**names, "answer": json.dumps(answer)},
    )
    return answer
