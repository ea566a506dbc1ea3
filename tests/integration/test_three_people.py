"""R21 by the API: three people, one of whom is not on WhatsApp, end ``partial`` with that person's reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fleet import Fleet
from waiting import until

PEOPLE = ["+972501234501", "+972501234502", "+972501299001"]


def test_two_of_three_are_sent_and_the_third_has_a_reason(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet().start("api", "bridge", "worker", "dispatcher")
    device = fleet.api("POST", "/api/devices", {"name": "KL 1", "provider": "simulator", "session": "kl-1"})
    assert device.status_code == 201
    until(
        lambda: fleet.api("GET", "/api/whatsapp/status").json()["can_send"],
        "the new device pairs and can send",
    )
    answer = fleet.api("POST", "/api/broadcasts", {"message": "Hello", "phones": PEOPLE})
    launched = answer.json()
    assert (answer.status_code, launched["queued_count"], launched["idempotent"]) == (202, 3, False)

    def seen() -> Any:
        return fleet.api("GET", f"/api/broadcasts/{launched['broadcast_id']}").json()

    until(lambda: seen()["status"] == "partial", "it ends partial")
    until(lambda: seen()["counts"]["read"] == 2, "both have read it")
    broadcast = seen()
    assert broadcast["total"] == sum(broadcast["counts"].values()) == 3
    [failure] = broadcast["failures"]
    assert failure["phone"] == "+972501299001"
    assert failure["code"] == "not_on_whatsapp"
    assert failure["reason"] == "This number is not on WhatsApp"
    assert fleet.received() == dict.fromkeys(PEOPLE[:2], 1)
    log = fleet.log("worker")
    assert "972501299001" not in log  # masked everywhere
    assert f"broadcast={launched['broadcast_id']} ended partial: " in log
    assert launched["job_id"] in fleet.log("dispatcher")
