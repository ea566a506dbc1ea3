"""Who gets it: the file, which of its columns are what, and what became of each row."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

import streamlit as st
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from console import drafting, reading, shown, writing
from console.drafting import Drafting
from console.parts import file_fault, file_reading, people_sums
from console.refusals import in_words
from console.words import _, _n
from console.world import world
from domain.limits import LONGEST_TITLE
from services import draft_file, drafts
from services.draft_file import LARGEST_MB, DraftFile, FileRead, How
from services.refused import Refused

EXAMPLE = "phone,name,city\n+972501234567,Dana,Haifa\n050-765-4321,Avi,Eilat\n"


def draw(now: Drafting) -> None:
    """Draw the step."""
    key = f"title {now.draft.id}"
    st.text_input(
        _("Name of the campaign"),
        value=now.draft.title,
        key=key,
        max_chars=LONGEST_TITLE,
        placeholder=_("November promo"),
        help=_("Only you and your colleagues see it."),
        width=480,
        on_change=lambda: drafting.save({"title": st.session_state[key].strip()}),
    )
    if now.file is None:
        if now.draft.headers:
            st.info(_("These are the people of the campaign that this is a copy of."), icon=":material/content_copy:")
        _draw_uploader(now, _("The people, as a CSV file"))
        if now.draft.headers:
            st.markdown(f"##### {people_sums.line(now.sums)}")
            _draw_save_leads(now)
        return
    _draw_file(now, now.file)
    if "fault" in now.file.found:
        _draw_fault(now, now.file)
        return
    st.markdown(f"##### {people_sums.line(now.sums)}")
    columns, sums = st.columns(2, gap="large")
    with columns:
        _draw_reading(now.draft.id, now.file)
    with sums:
        people_sums.draw(now)
        _draw_save_leads(now)


def _draw_file(now: Drafting, file: DraftFile) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/description: **{shown.plain(file.name)}**", width="content")
        st.caption(_size(file), width="content")
        fault = file.found.get("fault")
        if not fault or fault["code"] in file_fault.CURED:
            with st.popover(_("Another file"), icon=":material/upload_file:"):
                _draw_uploader(now, _("Takes the place of this one"))


def _draw_fault(now: Drafting, file: DraftFile) -> None:
    fault = file.found["fault"]
    if fault["code"] in file_fault.CURED:
        st.warning(file_fault.in_words(fault), icon=":material/help:")
        _draw_reading(now.draft.id, file)
    else:
        st.error(file_fault.in_words(fault), icon=":material/error:")
        _draw_uploader(now, _("The corrected file"))


def _draw_reading(draft_id: int, file: DraftFile) -> None:
    chosen = file_reading.draw(file, draft_id)
    if st.session_state.get(file_reading.CHANGED) and chosen != file.how:
        _read_otherwise(draft_id, chosen)


def _size(file: DraftFile) -> str:
    size = shown.size(file.size)
    rows = file.found.get("row_count")
    if rows is None:
        return size
    return _n("{count} row", "{count} rows", rows, count=shown.number(rows)) + f" · {size}"


def _draw_uploader(now: Drafting, label: str) -> None:
    turn = st.session_state.get("upload turn", 0)
    given = st.file_uploader(label, key=f"file {now.draft.id} {turn}", max_upload_size=LARGEST_MB)
    if now.file is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_("The first row names the columns; below it stands one person a row."), width="content")
            st.download_button(
                _("An example"),
                EXAMPLE,
                "people.csv",
                "text/csv",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
            )
    if given is not None and _upload(now, given.name, given.getvalue()):
        # A new key forgets the file, which would be kept in memory and read again at every run.
        st.session_state["upload turn"] = turn + 1
        st.rerun()


def _upload(now: Drafting, name: str, content: bytes) -> bool:
    title = {} if now.draft.title else {"title": PurePath(name).stem[:LONGEST_TITLE]}
    draft_id = now.draft.id
    with st.spinner(_("Reading the file…")):
        try:
            file_read = draft_file.read(content, How(), reading.workspace().value.default_country)
        except Refused as refused:
            st.error(in_words(refused))
            return False
        answer = writing.once(
            f"upload {draft_id}",
            lambda db, workspace_id: _keep(db, workspace_id, draft_id, title, name, content, file_read),
            asked=[name, hashlib.sha256(content).hexdigest()],
        )
    if answer is None:
        return False
    drafting.open_draft(answer["draft"])
    return True


def _keep(
    db: Connection,
    workspace_id: int,
    draft_id: int,
    title: dict[str, str],
    name: str,
    content: bytes,
    file_read: FileRead,
) -> dict[str, int]:
    if not draft_id:
        draft_id = drafts.create(db, workspace_id, title, who=writing.who())
    elif title:
        drafts.change(db, workspace_id, draft_id, title)
    draft_file.keep(db, workspace_id, draft_id, name, content, file_read, who=writing.who())
    return {"draft": draft_id}


def _read_otherwise(draft_id: int, how: How) -> None:
    with st.spinner(_("Reading the file…")):
        # Not by reading.read, which would keep the bytes of a whole file.
        try:
            content = world().run(lambda db: draft_file.content(db, reading.here(db).id, draft_id))
        except Refused as refused:
            st.error(in_words(refused))
            return
        except SQLAlchemyError:
            st.error(_("The database does not answer. Try again in a moment."))
            return
        file_read = draft_file.read(content, how, reading.workspace().value.default_country)
        done = writing.once(
            f"read file {draft_id}",
            lambda db, workspace_id: draft_file.read_otherwise(db, workspace_id, draft_id, content, file_read),
            asked=[how.encoding, how.delimiter, how.phone_column, how.name_column],
        )
    if done is not None:
        st.session_state[file_reading.CHANGED] = False
        st.rerun()


def _draw_save_leads(now: Drafting) -> None:
    key = f"save leads {now.draft.id}"
    st.checkbox(
        _("Save these people as leads too, when it is launched"),
        value=now.draft.save_leads,
        key=key,
        on_change=lambda: drafting.save({"save_leads": st.session_state[key]}),
    )
