"""Pages of a campaign's people in both directions, what they are filtered by, and all of them as a CSV."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pytest
from people import add_devices, workspace
from placing import place_campaign, place_message, unguarded
from sqlalchemy import Connection, text

from db.queries import query
from domain.status import MessageStatus as S
from services import recipients
from services.recipients import Filter, Page


def many(db: Connection, count: int, devices: list[int]) -> int:
    """A campaign of this many people: every tenth failed, the others sent, dealt in turn."""
    campaign = place_campaign(db)
    with unguarded(db):
        db.execute(
            text(
                "INSERT INTO messages (workspace_id, campaign_id, origin, device_id, phone, status, error_code)"
                " SELECT :workspace_id, :campaign, 'campaign', (CAST(:devices AS bigint[]))[1 + n % :n],"
                " '+97250' || 1000000 + n,"
                " CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'sent' END,"
                " CASE WHEN n % 20 = 0 THEN 'expired' WHEN n % 10 = 0 THEN 'banned' END FROM generate_series(1, :count) n"
            ),
            {
                "workspace_id": workspace(db),
                "campaign": campaign,
                "devices": devices,
                "n": len(devices),
                "count": count,
            },
        )
    return campaign


def page(db: Connection, campaign: int, wanted: Filter | None = None, **where: int) -> Page:
    found = recipients.page(db, workspace(db), campaign, wanted or Filter(), **where)
    assert found is not None
    return found


def ids(found: Page) -> list[int]:
    return [row["id"] for row in found.rows]


def test_pages_lead_to_the_end_and_back_over_the_same_people(db: Connection) -> None:
    campaign = many(db, 230, add_devices(db, 2))
    first = page(db, campaign)
    second = page(db, campaign, after=first.next_after or 0)
    third = page(db, campaign, after=second.next_after or 0)
    assert [len(each.rows) for each in (first, second, third)] == [100, 100, 30]
    everybody = ids(first) + ids(second) + ids(third)
    assert everybody == sorted(set(everybody))
    assert (first.next_before, third.next_after) == (None, None)

    back = page(db, campaign, before=third.next_before or 0)
    assert ids(back) == ids(second)
    assert ids(page(db, campaign, after=back.next_after or 0)) == ids(third)
    start = page(db, campaign, before=back.next_before or 0)
    assert (ids(start), start.next_before) == (ids(first), None)
    assert recipients.page(db, workspace(db), 999, Filter()) is None


def test_filters_hold_on_every_page(db: Connection) -> None:
    devices = add_devices(db, 2)
    campaign = many(db, 400, devices)
    failed = page(db, campaign, Filter((S.FAILED,)))
    assert (len(failed.rows), failed.next_after) == (40, None)
    assert {row["reason"] for row in failed.rows} == {
        "It could not be sent within its time window",
        "WhatsApp has banned our phone",
    }
    assert len(page(db, campaign, Filter((S.FAILED, S.UNKNOWN), code="expired")).rows) == 20
    of_one = page(db, campaign, Filter(device_id=devices[1]))
    rest = page(db, campaign, Filter(device_id=devices[1]), after=of_one.next_after or 0)
    assert {row["device_name"] for row in of_one.rows + rest.rows} == {"device2"}
    assert len(of_one.rows + rest.rows) == 200
    assert ids(page(db, campaign, Filter(device_id=devices[1]), before=rest.next_before or 0)) == ids(of_one)


@pytest.mark.parametrize("direction", ["after", "before"])
def test_a_page_is_read_from_its_own_stretch_of_the_index(db: Connection, direction: str) -> None:
    """However many messages there are besides: the order by id alone would lead through all of them."""
    devices = add_devices(db, 2)
    many(db, 3000, devices)
    campaign = many(db, 3000, devices)
    db.execute(text("ANALYZE messages"))
    middle = db.execute(text("SELECT max(id) - 1500 FROM messages")).scalar_one()
    values = {"campaign_id": campaign, "statuses": list(S), "code": None, "device_id": None, "limit": 101}
    where = {"after": None, "before": None, direction: middle}
    explain = text(f"EXPLAIN (ANALYZE, BUFFERS OFF) {query('messages_page').text}")
    plan = "\n".join(db.execute(explain, values | where).scalars())
    assert "using messages_campaign_status" in plan.replace("Backward using", "using")
    assert "Rows Removed by Filter" not in plan


def test_everybody_of_a_filter_as_a_csv_that_no_spreadsheet_runs(
    db: Connection, device: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "CSV_CHUNK", 2)
    campaign = place_campaign(db)
    at = datetime(2026, 11, 3, 22, 30, tzinfo=UTC)
    place_message(
        db,
        campaign,
        "read",
        device_id=device,
        attempts=["read"],
        phone="+972501234567",
        name="=1+1",
        sent_at=at,
        read_at=at,
    )
    for name in ("Dana", "נועה", "a, b"):
        place_message(db, campaign, "failed", device_id=device, name=name, error_code="expired", failed_at=at)
    place_message(db, campaign, "queued", name="waits", created_at=at)

    def rows(wanted: Filter) -> list[list[str]]:
        return list(csv.reader(recipients.as_csv(db, workspace(db), campaign, wanted, time_zone="Asia/Jerusalem")))

    header, first, *others = rows(Filter())
    assert header == list(recipients.CSV_HEADER)
    local = "2026-11-04 00:30:00"
    assert first == ["'+972501234567", "'=1+1", "read", local, "device1", "", "1", local, "", local]
    assert [row[1] for row in others] == ["Dana", "נועה", "a, b", "waits"]
    assert others[0][2:7] == ["failed", local, "device1", "It could not be sent within its time window", "0"]
    assert others[-1][2:5] == ["queued", local, ""]
    assert [row[1] for row in rows(Filter((S.QUEUED,)))] == ["name", "waits"]
    assert list(recipients.as_csv(db, workspace(db), 999, Filter(), time_zone="UTC")) == []
