"""A template of Meta's: which one, and what fills each of its places, the same for everybody or from the file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from console import drafting, reading, shown
from console.drafting import Drafting
from console.parts import synchronise, template_words
from console.views.new_steps import message_text, preview, template_file
from console.words import _, _n
from domain import template
from domain.cloud_filling import same
from domain.cloud_template import Asked, CannotBeSentError, Place, asked
from services import templates
from services.templates import UsableTemplate

LONGEST_VALUE = 1024  # Meta's longest text, of which a value is a part
REST = "600ms"  # of not typing, after which a value is saved; each time costs a run of the page

Name = tuple[str, str]  # a template's name and the code of its language


def draw(now: Drafting) -> None:
    """The choice, the file of its header, and a field for each place."""
    seen = reading.read(templates.usable)
    with reading.frame(seen, name="templates") as known:
        if known:
            usable = {(each.name, each.language): each for each in seen.value}
            _draw_choice(now, {name: each for name, each in usable.items() if _can_be_filled(each)})
            _draw_left_out(usable)
            synchronise.draw(place="message")
            if now.draft.template is not None:
                _draw_changed(now, usable)
    if now.draft.template is not None:
        wanted = asked(now.draft.template["components"])
        if wanted.header_file is not None:
            template_file.draw(now, wanted.header_file)
        _draw_places(now, wanted)
        preview.draw_missing(now)


def _chosen(now: Drafting) -> Name | None:
    filling = now.draft.template
    return None if filling is None else (filling["name"], filling["language"])


def _can_be_filled(found: UsableTemplate) -> bool:
    try:
        asked(found.components)
    except CannotBeSentError:
        return False
    return True


def _draw_choice(now: Drafting, usable: dict[Name, UsableTemplate]) -> None:
    chosen = _chosen(now)
    key = f"template {now.draft.id} {chosen}"
    names = sorted(usable)
    if chosen is not None and chosen not in usable:
        names.insert(0, chosen)

    def called(name: Name) -> str:
        return template_words.called(*name, usable[name].category if name in usable else None)

    st.selectbox(
        _("Template"),
        names,
        index=None if chosen is None else names.index(chosen),
        format_func=called,
        key=key,
        placeholder=_("Choose a template") if names else _("No template is approved yet"),
        on_change=_choose,
        args=(now, usable, key),
    )
    if chosen is not None and chosen not in usable:
        st.error(
            _("None of your numbers can send this template now: it is not approved, or not there any more."),
            icon=":material/error:",
        )
    elif not names:
        st.info(
            _("Templates are written in Meta's WhatsApp Manager. Once Meta has approved one, synchronise."),
            icon=":material/info:",
        )


def _choose(now: Drafting, usable: dict[Name, UsableTemplate], key: str) -> None:
    name = st.session_state[key]
    before = now.draft.template
    if name is None or name not in usable:
        return
    # In another language the places are the same ones.
    same = before is not None and before["name"] == name[0]
    changes: dict[str, Any] = {"template": _filling(usable[name], before if same else None)}
    if now.draft.device_ids is not None:
        # Of the phones that were chosen, those that can send it.
        able = [device_id for device_id in now.draft.device_ids if device_id in usable[name].device_ids]
        changes["device_ids"] = able or None
    drafting.save(changes)


def _filling(found: UsableTemplate, before: dict[str, Any] | None) -> dict[str, Any]:
    """The template as a draft keeps it, with the values that its places had before."""
    values = {} if before is None else before["values"]
    return {
        "name": found.name,
        "language": found.language,
        "components": found.components,
        "values": {place.key: values.get(place.key, "") for place in asked(found.components).places},
        "media_id": None if before is None else before["media_id"],
    }


def _draw_left_out(usable: dict[Name, UsableTemplate]) -> None:
    n = sum(not _can_be_filled(each) for each in usable.values())
    if n:
        st.caption(
            _n(
                "{count} more is approved, but has parts that cannot be filled here, such as a carousel.",
                "{count} more are approved, but have parts that cannot be filled here, such as a carousel.",
                n,
                count=shown.number(n),
            )
        )


def _draw_changed(now: Drafting, usable: dict[Name, UsableTemplate]) -> None:
    """It was chosen as it was then; Meta sends it as it is now."""
    before = now.draft.template
    found = usable.get((before["name"], before["language"])) if before else None
    if before is None or found is None or same(found.components, before["components"]) or not _can_be_filled(found):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(_("This template has changed since you chose it."), icon=":material/warning:")
        st.button(_("Take it as it is now"), on_click=drafting.save, args=({"template": _filling(found, before)},))


def _draw_places(now: Drafting, wanted: Asked) -> None:
    filling = now.draft.template
    if filling is None or not wanted.places:
        return
    keys = {place.key: f"value {now.draft.id} {_chosen(now)} {place.key}" for place in wanted.places}
    typed = {place.key: _draw_place(now, filling, place, keys) for place in wanted.places}
    of = [filling["name"], filling["language"]]
    drafting.catch_up("filling", {"of": of, "values": typed}, {"of": of, "values": _saved(filling, wanted)})
    if now.variables:
        message_text.draw_example(now)


def _draw_place(now: Drafting, filling: dict[str, Any], place: Place, keys: dict[str, str]) -> str:
    saved = _saved_at(filling, place)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        value = st.text_input(
            template_words.place(place),
            value=saved,
            key=keys[place.key],
            max_chars=LONGEST_VALUE,
            placeholder=_("The same for everybody, or from the file"),
            live=REST,
            on_change=_save,
            args=(filling, keys),
        )
        if now.variables:
            st.menu_button(
                "",
                now.variables,
                icon=":material/data_object:",
                help=_("Put in what stands in your file"),
                format_func=lambda name: shown.plain(f"{{{name}}}"),
                key=f"put {place.key}",
                on_click=_put,
                args=(filling, keys, place.key),
            )
    try:
        template.parse(value)
    except template.TemplateError as error:
        message_text.draw_fault(error)
    return value


def _saved_at(filling: dict[str, Any], place: Place) -> str:
    return str(filling["values"].get(place.key, ""))


def _saved(filling: dict[str, Any], wanted: Asked) -> dict[str, str]:
    return {place.key: _saved_at(filling, place) for place in wanted.places}


def _put(filling: dict[str, Any], keys: dict[str, str], place: str) -> None:
    chosen = str(st.session_state[f"put {place}"])
    st.session_state[keys[place]] = message_text.with_variable(str(st.session_state[keys[place]]), chosen)
    _save(filling, keys)


def _save(filling: dict[str, Any], keys: dict[str, str]) -> None:
    values = {place: str(st.session_state[key]) for place, key in keys.items()}
    drafting.save({"filling": {"of": [filling["name"], filling["language"]], "values": values}})
