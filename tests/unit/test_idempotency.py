from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.idempotency import content_hash

PEOPLE = [("+972500000001", {"name": "Dana", "city": "Haifa"}), ("+972500000002", {})]
NINE = datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_order_does_not_count() -> None:
    turned = [("+972500000002", {}), ("+972500000001", {"city": "Haifa", "name": "Dana"})]
    assert content_hash(PEOPLE, message="Hi") == content_hash(iter(turned), message="Hi")


def test_everything_else_counts() -> None:
    hashes = [
        content_hash(PEOPLE, message="Hi"),
        content_hash(PEOPLE, message="Hi "),
        content_hash(PEOPLE[:1], message="Hi"),
        content_hash([], message="Hi"),
        content_hash([("+972500000001", {"name": "Noa", "city": "Haifa"}), PEOPLE[1]], message="Hi"),
        content_hash([(PEOPLE[0][0], {}), (PEOPLE[1][0], PEOPLE[0][1])], message="Hi"),
        content_hash(PEOPLE, message="Hi", media="ab12"),
        content_hash(PEOPLE, message="Hi", scheduled_at=NINE),
        content_hash(PEOPLE, message="Hi", scheduled_at=NINE + timedelta(microseconds=1)),
    ]
    assert len(set(hashes)) == len(hashes)
    assert all(len(value) == 64 for value in hashes)


def test_one_moment_in_two_time_zones_is_one_schedule() -> None:
    there = NINE.astimezone(timezone(timedelta(hours=2)))
    assert content_hash(PEOPLE, message="Hi", scheduled_at=there) == content_hash(
        PEOPLE, message="Hi", scheduled_at=NINE
    )


def test_a_schedule_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        content_hash(PEOPLE, message="Hi", scheduled_at=NINE.replace(tzinfo=None))


def test_a_template_counts_with_all_that_fills_it() -> None:
    filled = {"name": "hello", "language": "en", "values": {"body.1": "{name}"}, "media_id": None}
    others = [
        {**filled, "name": "bye"},
        {**filled, "language": "he"},
        {**filled, "values": {"body.1": "{city}"}},
        {**filled, "media_id": 7},
    ]
    hashes = [content_hash(PEOPLE, message="", template=template) for template in (None, filled, *others)]
    assert len(set(hashes)) == len(hashes)


def test_what_was_launched_before_there_were_templates_is_still_the_same() -> None:
    assert content_hash(PEOPLE, message="Hi") == "48eb2d125d1c62d5f290fe9ce53fbafd0cb3ce0a530ed2a6cba6c570f89ed8af"
    assert (
        content_hash(PEOPLE, message="Hi", scheduled_at=NINE)
        == "729e1b5a3dd6b09c006455b39eb32cf239887cfa5116515b99c00092dd7680b9"
    )
