"""Who did what to a campaign, and what happened by itself, the newest first."""

from __future__ import annotations

import streamlit as st

from console import reading, shown
from console.parts import status
from console.words import _, _n, reason
from services import timeline
from services.campaign_views import CampaignView
from services.timeline import Happened


def draw(campaign: CampaignView) -> None:
    """One line for each thing that happened."""
    seen = reading.read(timeline.read, campaign.id)
    with reading.frame(seen, name="timeline") as known:
        if not known or seen.value is None:
            return
        zone = reading.zone()
        rows = seen.value
        st.table(
            {
                _("When"): [shown.moment(each.at, zone, exact=True) for each in rows],
                _("What"): [_in_words(each) for each in rows],
                _("Who"): [_who(each.who) for each in rows],
            },
            border="horizontal",
            hide_index=True,
        )
        if len(rows) == timeline.NEWEST:
            st.caption(_("Only the newest {count} are shown.", count=shown.number(timeline.NEWEST)))


def _who(who: str | None) -> str:
    if who is None:
        return ""
    return {"api": _("API"), "console": _("Console")}.get(who) or shown.plain(who.removeprefix("console: "))


def _in_words(happened: Happened) -> str:
    details, name = happened.details, _name(happened)
    count = int(details.get("count") or details.get("waiting") or details.get("queued") or 0)
    number = shown.number(count)
    match happened.what:
        case "created" | "create_draft":
            return _("Created")
        case "upload":
            return _("Uploaded people")
        case "send_test":
            return _("Sent a test")
        case "launch":
            return _n("Launched to {count} person", "Launched to {count} people", count, count=number)
        case "due":
            return _("Its time came")
        case "started":
            return _("Sending began")
        case "ended":
            return _("Ended: {status}", status=status.campaign_words(details["status"]))
        case "pause":
            return _("Paused")
        case "resume":
            return _("Resumed")
        case "cancel" if name:
            return _("The message to {name} was cancelled", name=name)
        case "cancel":
            return _n(
                "Cancelled: {count} person was not sent to",
                "Cancelled: {count} people were not sent to",
                count,
                count=number,
            )
        case "retry":
            words = _n("{count} message queued again", "{count} messages queued again", count, count=number)
            codes = details.get("codes") or []
            return f"{words}: {', '.join(map(reason, codes))}" if codes else words
        case "retry_unknown" if name:
            return _("In doubt, sent again: {name}", name=name)
        case "retry_unknown":
            return _n(
                "{count} message in doubt sent again", "{count} messages in doubt sent again", count, count=number
            )
        case "leave_unknown" if name:
            return _("In doubt, left as it is: {name}", name=name)
        case "leave_unknown":
            return _n(
                "{count} message in doubt left as it is",
                "{count} messages in doubt left as they are",
                count,
                count=number,
            )
        case "device_left":
            why = reason(details.get("code")) or _("it failed three times")
            return _("{name} left the campaign: {reason}", name=name, reason=why)
        case "stop_all":
            return _("All sending was stopped")
        case "go":
            return _("All sending was started again")
        case other:
            return shown.plain(other)


def _name(happened: Happened) -> str:
    """A phone's or a person's; whoever has none is called by the number."""
    if happened.name is None:
        return ""
    return shown.phone(happened.name) if happened.name.startswith("+") else shown.plain(happened.name)
