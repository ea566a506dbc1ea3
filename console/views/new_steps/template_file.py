"""The file that a template's header shows: kept as soon as it is chosen, and uploaded to WhatsApp when it is sent."""

from __future__ import annotations

import hashlib
from typing import Final

import streamlit as st
from sqlalchemy import Connection

from console import shown, writing
from console.drafting import Drafting
from console.words import _, marked
from domain.cloud_template import HeaderKind
from domain.media import LIMITS, MB
from services import drafts, media

_LABELS: Final = {
    "image": marked("The picture of its header"),
    "video": marked("The video of its header"),
    "document": marked("The document of its header"),
}
_ENDINGS: Final = {"image": ["jpg", "jpeg", "png"], "video": ["mp4", "3gp"], "document": None}


def draw(now: Drafting, kind: HeaderKind) -> None:
    """The file that is kept, or the field for one."""
    label = _(_LABELS[kind])
    if now.media is None:
        _draw_uploader(now, kind, label)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/attach_file: **{shown.plain(now.media.filename)}**", width="content")
        st.caption(shown.size(now.media.size), width="content")
        with st.popover(_("Another file"), icon=":material/upload_file:"):
            _draw_uploader(now, kind, label)


def _draw_uploader(now: Drafting, kind: HeaderKind, label: str) -> None:
    turn = st.session_state.get("media turn", 0)
    key = f"media {now.draft.id} {turn}"
    given = st.file_uploader(label, type=_ENDINGS[kind], key=key, max_upload_size=LIMITS[kind] // MB)
    if given is not None and _keep(now, given.name, given.type, given.getvalue()):
        # A new key forgets the file, which would be kept in memory and sent again at every run.
        st.session_state["media turn"] = turn + 1
        st.rerun()


def _keep(now: Drafting, filename: str, mimetype: str, content: bytes) -> bool:
    draft_id, filling = now.draft.id, now.draft.template or {}
    of = [filling.get("name"), filling.get("language")]

    def work(db: Connection, workspace_id: int) -> dict[str, int]:
        media_id = media.keep(db, workspace_id, filename, mimetype, content)
        drafts.change(db, workspace_id, draft_id, {"filling": {"of": of, "media_id": media_id}})
        return {"media": media_id}

    asked = [filename, hashlib.sha256(content).hexdigest()]
    return writing.once(f"media {draft_id}", work, asked=asked) is not None
