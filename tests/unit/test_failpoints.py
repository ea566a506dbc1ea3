"""Failpoints: off unless set, and only where and for whom they are set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import failpoints


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    failpoints.arm(None)


def test_nothing_happens_unless_it_is_set() -> None:
    failpoints.arm(None)
    failpoints.hit("after_begin", "1.1")


def test_it_fires_where_and_for_whom_it_is_set() -> None:
    failpoints.arm("after_begin:error:17.*,after_record:error")
    failpoints.hit("after_begin", "117.1")
    failpoints.hit("before_begin", "17.1")
    for place, subject in (("after_begin", "17.1"), ("after_begin", "17.2"), ("after_record", "1.1")):
        with pytest.raises(failpoints.FailpointError, match=place):
            failpoints.hit(place, subject)


@pytest.mark.parametrize("wrong", ["after_begin", "after_begin:explode", ":kill", "after_begin:kill,"])
def test_a_setting_that_cannot_be_read_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="place:action"):
        failpoints.parse(wrong)
