"""GET /api/whatsapp/minutes, and the rate of a broadcast."""

from __future__ import annotations

import pytest
from serving import NOT_ON_WHATSAPP, Api, answered, people, refused

from services import rates


@pytest.mark.parametrize(("hours", "bucket_minutes", "buckets"), [(1, 1, 60), (6, 5, 73), (24, 15, 97)])
def test_minutes_tell_what_was_sent_and_failed(api: Api, hours: int, bucket_minutes: int, buckets: int) -> None:
    api.device()
    broadcast_id = api.launch(people(3) + people(1, "99001"))["broadcast_id"]
    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP)
    path = "/api/whatsapp/minutes"
    assert answered(api.get(path), 200) == {"bucket_minutes": 1, "buckets": []}
    with api.engine.begin() as db:
        rates.count(db)
    # As if it had been a quarter of an hour ago
    api.execute("UPDATE minute_counts SET minute = minute - interval '15 minutes'")
    found = answered(api.get(path, params={"hours": hours}), 200)
    assert found["bucket_minutes"] == bucket_minutes
    assert buckets - 1 <= len(found["buckets"]) <= buckets
    for figure, people_counted in (("sent", 3), ("failed", 1)):
        per_minute = sum(bucket[figure] for bucket in found["buckets"])
        assert per_minute * bucket_minutes == pytest.approx(people_counted)
    assert refused(api.get(path, params={"hours": 2}), 422, "INVALID")["field"] == "hours"


def test_a_running_broadcast_tells_its_rate(api: Api) -> None:
    api.device()
    broadcast_id = api.launch(people(50))["broadcast_id"]
    api.send_one(broadcast_id)
    path = f"/api/broadcasts/{broadcast_id}"
    assert answered(api.get(path), 200)["rate_per_minute"] is None
    with api.engine.begin() as db:
        rates.count(db)
    api.execute("UPDATE campaigns SET started_at = started_at - interval '30 seconds'")
    api.execute("UPDATE minute_counts SET minute = (SELECT date_trunc('minute', started_at) FROM campaigns), sent = 50")
    rate = answered(api.get(path), 200)["rate_per_minute"]
    assert 0 < rate <= 100  # 50 in the half minute and a little more since its start
