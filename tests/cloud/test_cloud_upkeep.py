"""What goes by the clock for official numbers, by the real processes: their health, their templates, a new token."""

from __future__ import annotations

import base64
from collections.abc import Callable

from cloud_numbers import add_numbers
from fleet import Fleet
from graph import BODY, Graph
from people import workspace
from sqlalchemy import text
from waiting import until

from services.add_device import NewDevice, SealedNumber, add_device
from services.seal import Seal

KEY = base64.b64encode(b"the key that seals tokens: 32 by").decode()
SEAL = Seal(KEY)


def test_who_has_numbers_is_told_that_webhooks_are_not_set_up(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(cloud_token_key=KEY)
    fleet.start("bridge", "api").kill("api")
    assert "CLOUD_APP_SECRET" not in fleet.log("api")
    with fleet.engine.begin() as db:
        add_numbers(db, 1)
    fleet.start("api")
    assert "without CLOUD_APP_SECRET and CLOUD_VERIFY_TOKEN" in fleet.log("api")


def test_workers_look_at_numbers_and_fetch_their_templates(make_fleet: Callable[..., Fleet]) -> None:
    with Graph() as graph:
        number = graph.add_number(phone="972501234567")
        graph.add_template(number.business_id, "hello", "en_US", BODY)
        fleet = make_fleet(cloud_token_key=KEY, cloud_graph_url=graph.url, health_interval_s=1)
        with fleet.engine.begin() as db:
            sealed = SealedNumber(number.business_id, SEAL.seal(number.token, number.id))
            device = NewDevice(workspace(db), "Sales", "cloud", number.id, "cloud", None, None, None, sealed)
            add_device(db, device, who="dana")
        fleet.start("worker", "dispatcher")
        until(lambda: fleet.rows("SELECT name FROM templates") == [("hello",)], "its templates are there")
        health = "SELECT can_send, phone, quality FROM devices JOIN cloud_numbers ON device_id = id"
        able = [(True, "+972501234567", "GREEN")]
        until(lambda: fleet.rows(health) == able, "it can send")

        graph.set(number.id, token="EAAnew")
        until(lambda: fleet.one("SELECT state FROM devices") == "token_refused", "its token is refused")
        with fleet.engine.begin() as db:
            new = {"sealed": SEAL.seal("EAAnew", number.id)}
            db.execute(text("UPDATE cloud_numbers SET sealed_token = :sealed"), new)
        until(lambda: fleet.rows(health) == able, "it can send again")
        assert "EAA" not in fleet.log("worker") + fleet.log("dispatcher")
        assert number.token not in fleet.log("worker")
