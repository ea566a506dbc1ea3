"""The hour that a clock says twice, or never."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from domain.local_time import Moment, moment


def test_a_time_of_day_is_that_of_its_zone() -> None:
    assert moment(date(2026, 12, 1), time(9), "Asia/Jerusalem") == Moment(
        datetime(2026, 12, 1, 7, tzinfo=UTC), skipped=False, twice=False
    )


def test_the_hour_that_does_not_exist_is_moved_behind_the_change() -> None:
    # At 02:00 the clocks in Israel go to 03:00.
    assert moment(date(2026, 3, 27), time(2, 30), "Asia/Jerusalem") == Moment(
        datetime(2026, 3, 27, 0, 30, tzinfo=UTC), skipped=True, twice=False
    )


def test_of_the_hour_that_comes_twice_the_first_is_meant() -> None:
    # At 02:00 the clocks in Israel go back to 01:00.
    assert moment(date(2026, 10, 25), time(1, 30), "Asia/Jerusalem") == Moment(
        datetime(2026, 10, 24, 22, 30, tzinfo=UTC), skipped=False, twice=True
    )
