"""Official numbers that can send, over the fake Graph and the real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fleet import Fleet
from graph import APP_SECRET, Graph
from graph_world import Number, Received
from people import launch_to, workspace
from sqlalchemy import text
from test_cloud_upkeep import KEY, SEAL
from waiting import until

from services.add_device import NewDevice, SealedNumber, add_device

COMPONENTS: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Hello {{1}}, your voucher is ready."},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "See it", "url": "https://shop.example/{{1}}"}]},
]
NAME, LANGUAGE = "voucher", "en"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@dataclass(frozen=True)
class Official:
    """A fleet whose devices are numbers of this Graph."""

    fleet: Fleet
    graph: Graph
    numbers: list[Number]

    def launch(self, phones: Sequence[str], *, media_id: int | None = None, name: str = "plain") -> int:
        """The id of a campaign by template."""
        values = {"body.1": "{name|there}"} | ({"button.0": "{name|sale}"} if media_id else {})
        asked = {"name": name, "language": LANGUAGE, "values": values, "media_id": media_id}
        with self.fleet.engine.begin() as db:
            return launch_to(db, phones, template=asked).campaign_id

    def taken(self) -> dict[str, int]:
        """How often each person was sent something, by E.164 number."""
        found: dict[str, int] = {}
        for received in self.graph.taken():
            found[f"+{received.to}"] = found.get(f"+{received.to}", 0) + 1
        return found

    def kept(self, phones: Sequence[str]) -> None:
        """The promises: everybody has a row that says where they stand, nobody got it twice, and whoever did is known to."""
        rows = self.fleet.rows("SELECT phone, status, error_code FROM messages")
        assert sorted(row.phone for row in rows) == sorted(phones)
        taken = self.taken()
        assert set(taken.values()) <= {1}
        for row in rows:
            if row.status in ("sent", "delivered", "read"):
                assert row.phone in taken
            assert row.status in ("sent", "delivered", "read") or row.error_code

    def to(self, phone: str) -> Received:
        """The one message that this person was sent."""
        (received,) = (each for each in self.graph.to(phone) if each.wamid is not None)
        return received


@contextmanager
def official(
    make_fleet: Callable[..., Fleet], numbers: int = 1, latency_s: float = 0.0, **settings: Any
) -> Iterator[Official]:
    """Numbers that can send, with their templates; the API, a worker and a dispatcher run."""
    with Graph(latency_s=latency_s) as graph:
        fleet = make_fleet(
            cloud_token_key=KEY,
            cloud_app_secret=APP_SECRET,
            cloud_verify_token="a word",
            cloud_graph_url=graph.url,
            **settings,
        )
        graph.webhooks.url = f"{fleet.api_url}/webhooks/cloud"
        first = graph.add_number()
        all_numbers = [first, *(graph.add_number(business_id=first.business_id) for _ in range(numbers - 1))]
        graph.add_template(first.business_id, NAME, LANGUAGE, COMPONENTS)
        graph.add_template(first.business_id, "plain", LANGUAGE, COMPONENTS[1:2])
        with fleet.engine.begin() as db:
            for place, number in enumerate(all_numbers):
                sealed = SealedNumber(number.business_id, SEAL.seal(number.token, number.id))
                device = NewDevice(
                    workspace(db), f"Number {place}", "cloud", number.id, "cloud", None, None, None, sealed
                )
                add_device(db, device, who="dana")
        fleet.start("api", "worker", "dispatcher")
        until(lambda: fleet.one("SELECT every(can_send) FROM devices"), "the numbers can send")
        until(
            lambda: fleet.one("SELECT count(*) FROM templates") == len(graph.world.templates[first.business_id]),
            "templates",
        )
        yield Official(fleet, graph, all_numbers)


def a_quarter_of_an_hour_passes(fleet: Fleet) -> None:
    """For all that waits for Meta's word."""
    with fleet.engine.begin() as db:
        db.execute(text("UPDATE attempts SET begun_at = begun_at - time_for_word()"))
        db.execute(text("UPDATE messages SET lease_until = lease_until - time_for_word() WHERE slot IS NULL"))
