"""How fast a campaign goes and when it ends, in words."""

from __future__ import annotations

from console import reading, shown
from console.words import _, _n
from services.forecast import Finish


def in_words(per_minute: float | None, finish: Finish) -> list[str]:
    """``430/min``, ``ends ≈ 01:20`` and what holds it back, as far as they are known."""
    words: list[str] = []
    if per_minute is not None:
        words.append(_("{rate}/min", rate=shown.number(round(per_minute))))
    if finish.ends_at is not None:
        words.append(_("ends ≈ {time}", time=shown.moment(finish.ends_at, reading.zone())))
    if finish.at_cap:
        words.append(
            _n(
                "{count} phone is at its cap",
                "{count} phones are at their cap",
                finish.at_cap,
                count=shown.number(finish.at_cap),
            )
        )
    if finish.held:
        words.append(
            _n(
                "{count} person waits for a phone that cannot send",
                "{count} people wait for phones that cannot send",
                finish.held,
                count=shown.number(finish.held),
            )
        )
    return words
