from __future__ import annotations

from collections.abc import Callable

from fleet import Fleet
from people import add_devices, launch_to, phones
from waiting import until


def test_a_campaign_goes_from_accepted_to_completed(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(simulator_receipts="false", send_limit_s=2)
    with fleet.engine.begin() as db:
        devices = add_devices(db, 3)
    fleet.start("bridge")
    for number in range(1, 4):
        fleet.bridge("POST", f"/whatsapp/device{number}/start")
    until(lambda: all(s["can_send"] for s in fleet.bridge("GET", "/whatsapp")["sessions"]), "sessions can send")
    fleet.start("worker", "dispatcher")
    with fleet.engine.begin() as db:
        launched = launch_to(db, phones(30))
    until(
        lambda: fleet.one("SELECT status FROM campaigns WHERE id = :id", id=launched.campaign_id) == "completed",
        "completed",
        within_s=30,
    )
    assert fleet.received() == dict.fromkeys(phones(30), 1)
    assert devices
