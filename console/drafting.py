"""A draft as its page works on it: read whole, and saved whenever something is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from console import links, writing
from domain.people import Person
from services import campaign_views, draft_file, draft_people, drafts, media
from services.draft_file import DraftFile
from services.draft_people import Sums
from services.drafts import Draft
from services.media import Described


@dataclass(frozen=True, slots=True)
class Drafting:
    """A draft with everything that its page shows; ``media`` is the file of its template's header."""

    draft: Draft
    file: DraftFile | None
    sums: Sums
    people: list[Person]
    variables: list[str]
    media: Described | None


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such draft: it was launched, or it was never there."""

    launched: bool


_NOBODY = Sums(will_receive=0, opted_out=0, lacking=0, duplicates=0, bad={}, missing={}, warnings={}, names=False)
SAME = "same"  # in the address: the campaign that the same content made a moment ago, until the draft is changed
_UNSAVED = "unsaved"


def begun() -> Drafting:
    """A draft that is not there yet: it has the id 0, and is made by the first thing that is saved."""
    now = datetime.now(UTC)
    return Drafting(Draft(0, "", "", None, None, None, None, False, [], None, now, now), None, _NOBODY, [], [], None)


def read(db: Connection, workspace_id: int, draft_id: int) -> Drafting | Gone:
    """The draft now."""
    draft = drafts.one(db, workspace_id, draft_id)
    if draft is None:
        return Gone(launched=campaign_views.status_of(db, workspace_id, draft_id) is not None)
    sums = draft_people.sums(db, workspace_id, draft)
    return Drafting(
        draft,
        draft_file.one(db, workspace_id, draft_id),
        sums,
        draft_people.sample(db, workspace_id, draft),
        draft_people.variables(draft, names=sums.names),
        _media(db, workspace_id, draft),
    )


def _media(db: Connection, workspace_id: int, draft: Draft) -> Described | None:
    media_id = draft.template and draft.template["media_id"]
    return media.described(db, workspace_id, media_id) if media_id else None


def asked() -> int:
    """The draft of the address; 0 for one that is not there yet."""
    return links.number("draft") or 0


def save(changes: Mapping[str, Any]) -> None:
    """Save what was changed. What cannot be saved now is kept in this browser session and tried again at each run."""
    draft_id = asked()
    unsaved = {**st.session_state.get(_UNSAVED, {}).get(draft_id, {}), **changes}
    answer = writing.once(
        f"save draft {draft_id} {' '.join(sorted(unsaved))}",
        lambda db, workspace_id: _save(db, workspace_id, draft_id, unsaved),
        asked=unsaved,
    )
    st.session_state[_UNSAVED] = {} if answer else {draft_id: unsaved}
    if answer:
        open_draft(answer["draft"])


def catch_up(name: str, typed: object, saved: object) -> None:
    """Save what a field holds and the draft does not. A press can cut off the saving of what was typed just before it; when
    the draft is still as it was drawn here last, nobody else has changed it, and the field is right."""
    drawn = f"drawn {name} {asked()}"
    if typed != saved and st.session_state.get(drawn) == saved and not st.session_state.get(_UNSAVED):
        save({name: typed})
        st.rerun()
    st.session_state[drawn] = saved


def open_draft(draft_id: int) -> None:
    """Show this draft, which was just changed or made."""
    if asked() != draft_id:
        st.query_params["draft"] = str(draft_id)
    if SAME in st.query_params:
        del st.query_params[SAME]


def save_what_is_left() -> bool:
    """Try again what could not be saved; returns whether there is still something."""
    unsaved = st.session_state.get(_UNSAVED, {}).get(asked())
    if unsaved:
        save(unsaved)
    return bool(st.session_state.get(_UNSAVED, {}).get(asked()))


def _save(db: Connection, workspace_id: int, draft_id: int, changes: Mapping[str, Any]) -> dict[str, int]:
    if not draft_id:
        return {"draft": drafts.create(db, workspace_id, changes, who=writing.who())}
    drafts.change(db, workspace_id, draft_id, changes)
    return {"draft": draft_id}
