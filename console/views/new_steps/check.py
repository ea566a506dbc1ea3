"""The sums before the launch: who, what, from where, until when, and what stands in the way."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

import streamlit as st
from sqlalchemy import Connection

from console import links, reading, shown
from console.drafting import Drafting
from console.parts import dates, people_sums, phone_needs, senders, template_words
from console.views.new_steps import launch, obstacles, pace, preview
from console.views.new_steps.obstacles import Obstacle
from console.words import _, _n
from services import forecast
from services.device_views import DeviceView, every
from services.forecast import Forecast


def draw(now: Drafting) -> None:
    """Draw the step."""
    draft = now.draft
    phones = reading.read(every)
    own = senders.used(draft, phones.value) if phones.known else []
    ids = None if draft.device_ids is None and len(own) == len(phones.value or ()) else tuple(one.id for one in own)
    expected = reading.read(
        _forecast, now.sums.will_receive, ids, draft.min_delay_s, draft.max_delay_s, draft.scheduled_at
    )
    with reading.frame(phones, expected, name="check") as known:
        if not known:
            return
        sums, preview = st.columns([3, 2], gap="large")
        with preview:
            _draw_preview(now)
        with sums:
            _draw_sums(now, own, expected.value)
            found = obstacles.of(now, own)
            _draw_obstacles(found, own)
            _draw_warnings(now, own)
            launch.draw(now, blocked=bool(found))


def _forecast(
    db: Connection,
    workspace_id: int,
    people: int,
    device_ids: tuple[int, ...] | None,
    min_delay_s: float | None,
    max_delay_s: float | None,
    starts_at: datetime | None,
) -> Forecast:
    return forecast.before_launch(
        db,
        workspace_id,
        people,
        device_ids=device_ids,
        min_delay_s=min_delay_s,
        max_delay_s=max_delay_s,
        starts_at=starts_at,
    )


def _draw_sums(now: Drafting, own: list[DeviceView], expected: Forecast) -> None:
    zone = reading.zone()
    able = sum(phone.condition in phone_needs.ABLE for phone in own)
    scheduled = now.draft.scheduled_at
    rows = {
        _("People"): people_sums.line(now.sums),
        _("Phones"): _("{share} can send now", share=shown.share(able, len(own))) if own else _("none"),
        **_template(now),
        _("Pace"): pace.in_words(now.draft),
        _("Begins"): _("as soon as you launch it") if scheduled is None else dates.day_and_time(scheduled, zone),
    }
    if expected.ends_at is not None and expected.people:
        rows[_("Ends")] = _end_in_words(expected, zone)
    for label, words in rows.items():
        with st.container(horizontal=True, gap="small", wrap=False):
            st.markdown(f":gray[{label}]", width=72)
            st.markdown(words, width="stretch")


def _template(now: Drafting) -> dict[str, str]:
    chosen = now.draft.template
    return (
        {}
        if chosen is None
        else {_("Template"): shown.plain(template_words.called(chosen["name"], chosen["language"]))}
    )


def _end_in_words(expected: Forecast, zone: str) -> str:
    """``about Sunday, 6 December, 14:00``, and the sum behind it when it takes days."""
    if expected.ends_at is None or expected.days is None:
        return ""
    if expected.days == 1:
        return _("about {time}", time=shown.clock(expected.ends_at, zone))
    end = _("about {time}", time=dates.day_and_time(expected.ends_at, zone))
    days = _n("{count} day", "{count} days", expected.days, count=shown.number(expected.days))
    if expected.a_day_each is None:
        a_day = _("at most {count} messages a day", count=shown.number(expected.a_day))
        return f"{end}. {a_day} = {days}"
    phones = _n("{count} phone", "{count} phones", expected.able, count=shown.number(expected.able))
    each = _("{count} a day", count=shown.number(expected.a_day_each))
    return f"{end}. {phones} × {each} = {days}"


def _draw_preview(now: Drafting) -> None:
    person = None
    if now.people:
        person = next((each for each in now.people if preview.receives(now, each)), now.people[0])
        st.caption(_("As {person} gets it", person=preview.called(person)))
    preview.draw_bubble(now, person)


def _draw_obstacles(found: list[Obstacle], own: list[DeviceView]) -> None:
    """Those that are mended in one place together, with one way there."""
    for step, together in groupby(found, key=lambda obstacle: obstacle.step):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error("\n\n".join(obstacle.words for obstacle in together), icon=":material/block:")
            if step is None and not own:
                links.link(_("To the phones"), "devices", icon=":material/smartphone:")
            elif step is not None:
                st.button(_("Fix"), key=f"mend {step}", on_click=_go_to, args=(step,))


def _go_to(step: str) -> None:
    st.query_params["step"] = step


def _draw_warnings(now: Drafting, own: list[DeviceView]) -> None:
    workspace = reading.workspace()
    if workspace.known and workspace.value.sending_stopped_at is not None:
        st.warning(_("All sending is stopped: it waits until sending is started again."), icon=":material/front_hand:")
    preview.draw_missing(now)
    people_sums.draw_warnings(now.sums)
    phone_needs.draw(own)
