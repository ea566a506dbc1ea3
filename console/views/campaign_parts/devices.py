"""What each of our phones did for a campaign; every figure opens its people."""

from __future__ import annotations

from typing import Final

import streamlit as st

from console import reading, shown
from console.views.campaign_parts import place, progress
from console.words import _
from services import device_report
from services.campaign_views import CampaignView
from services.device_report import DeviceLine

FIGURES: Final = ("pending", "sent", "failed", "unknown", "cancelled", "suppressed")
TABLE_PX = 530


def draw(campaign: CampaignView) -> None:
    """The report as a table."""
    seen = reading.read(device_report.report, campaign.id)
    with reading.frame(seen, name="devices") as known:
        if known and seen.value:
            _draw_table(campaign, seen.value)
        elif known:
            st.write(_("No phone has been given anything of this campaign yet."))


def _draw_table(campaign: CampaignView, lines: list[DeviceLine]) -> None:
    zone = reading.zone()
    labels = progress.labels()
    left = [line.out_at is not None for line in lines]
    table: dict[str, list[object]] = {"name": [_name(line) for line in lines], "total": [line.total for line in lines]}
    for figure in FIGURES:
        if figure not in ("cancelled", "suppressed") or any(getattr(line, figure) for line in lines):
            table[figure] = [getattr(line, figure) for line in lines]
    if any(left):
        table["out"] = [
            _("{reason}, {time}", reason=line.out_reason or _("Taken out"), time=shown.moment(line.out_at, zone))
            if line.out_at
            else ""
            for line in lines
        ]
    names = {"name": _("Phone"), "total": _("Total"), "out": _("Left the campaign"), **labels}
    st.caption(_("Select a figure to see the people behind it."))
    event = st.dataframe(
        table,
        hide_index=True,
        column_config={column: names[column] for column in table},
        on_select="rerun",
        selection_mode="single-cell",
        key=f"devices {campaign.id}",
        height="auto" if len(lines) <= 10 else TABLE_PX,
    )
    for row, column in event["selection"]["cells"]:
        line = lines[row]
        if line.device_id is not None and not line.deleted and column in ("total", *FIGURES):
            place.go("recipients", show=None if column == "total" else column, device=line.device_id)


def _name(line: DeviceLine) -> str:
    if line.name is None:
        return _("No phone yet")
    return _("{name} (deleted)", name=line.name) if line.deleted else line.name
