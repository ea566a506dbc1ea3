"""The machine room and the audit trail over HTTP."""

from __future__ import annotations

from serving import Api, answered, refused

from services import queue_reports, system_views


def test_the_machine_room(api: Api) -> None:
    system = answered(api.get("/api/system"), 200)
    assert system["faults"] == ["no_dispatcher", "no_worker"]
    assert (system["queues"], system["oldest"], system["processes"]) == (None, None, [])
    assert system["versions"]["postgres"].startswith("1")
    with api.engine.begin() as db:
        queue_reports.redis_away(db)
    system = answered(api.get("/api/system"), 200)
    assert system["queues"]["away_since"]
    assert system["queues"]["queues"] == []


def test_who_did_what_by_pages(api: Api) -> None:
    device = api.device(name="Sales 1")
    (entry,) = answered(api.get("/api/audit"), 200)["entries"]
    assert (entry["who"], entry["action"], entry["name"]) == ("api", "add_device", "Sales 1")
    api.execute(
        "INSERT INTO audit (workspace_id, who, action, subject) SELECT workspace_id, 'dana', 'change_device',"
        " 'device:' || id FROM devices, generate_series(1, :n) WHERE id = :id",
        n=system_views.AUDIT_PAGE,
        id=device["id"],
    )
    first = answered(api.get("/api/audit"), 200)
    assert {entry["who"] for entry in first["entries"]} == {"dana"}
    last = answered(api.get(f"/api/audit?before={first['next_before']}"), 200)
    assert ([entry["who"] for entry in last["entries"]], last["next_before"]) == (["api"], None)
    assert refused(api.get("/api/audit?before=0"), 422, "INVALID")["field"] == "before"
