"""GET /api/whatsapp/metrics (R46)."""

from __future__ import annotations

from datetime import UTC, datetime

from serving import NOT_ON_WHATSAPP, Api, answered, people

from services.metrics import KEPT_S, Figures, Recent, read


def test_figures_are_of_the_last_five_minutes(api: Api) -> None:
    device = api.device()
    broadcast_id = api.launch(people(4) + people(2, "99001"))["broadcast_id"]
    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP)
    api.launch(people(7))
    body = {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}
    answered(api.post("/api/messages", body), 202)
    assert api.begin(device["id"]) is not None
    found = answered(api.get("/api/whatsapp/metrics"), 200)
    assert set(found) == {"pending_count", "sent_last_5m", "failed_last_5m", "as_of"}
    assert (found["pending_count"], found["sent_last_5m"], found["failed_last_5m"]) == (8, 4, 2)
    api.launch(people(5))
    assert answered(api.get("/api/whatsapp/metrics"), 200) == found
    workspace = api.one("SELECT id FROM workspaces")
    api.execute("UPDATE attempts SET begun_at = begun_at - interval '6 minutes'")
    api.execute("UPDATE messages SET failed_at = failed_at - interval '6 minutes' WHERE failed_at IS NOT NULL")
    with api.engine.begin() as db:
        now = read(db, workspace)
    assert (now.pending_count, now.sent_last_5m, now.failed_last_5m) == (13, 0, 0)


def test_figures_are_counted_again_after_ten_seconds() -> None:
    clock = [100.0]
    counted: list[Figures] = []

    def count() -> Figures:
        counted.append(Figures(len(counted), 0, 0, datetime(2026, 11, 21, tzinfo=UTC)))
        return counted[-1]

    recent = Recent(lambda: clock[0])
    assert recent.get(count).pending_count == 0
    clock[0] += KEPT_S - 0.1
    assert recent.get(count).pending_count == 0
    clock[0] += 0.2
    assert recent.get(count).pending_count == 1
