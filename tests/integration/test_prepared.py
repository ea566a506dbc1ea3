from __future__ import annotations

import random
from typing import Any

from people import add_devices, launch_to, phones
from sqlalchemy import Engine, text

from db.engine import run
from db.queries import query
from services import deliver, distribute


def test_begin_is_planned_once_a_connection_and_its_fractions_stay_fractions(engine: Engine) -> None:
    with engine.begin() as db:
        (device_id,) = add_devices(db, 1)
        campaign_id = launch_to(db, phones(3)).campaign_id
    run(engine, lambda db: distribute.distribute(db, campaign_id))
    with engine.connect() as db:
        for slot in range(3):  # the second and third find the device's only slot taken
            with db.begin():
                deliver.begin(db, device_id, slot, worker_id="w", lease_s=40, rng=random.Random(1))
        prepared = db.execute(text("SELECT name, parameter_types::text[] AS types FROM pg_prepared_statements")).all()
    assert [row.name for row in prepared] == ["begin"]
    assert prepared[0].types == ["bigint", "smallint", "text", *["double precision"] * 5]


def test_a_large_campaign_is_known_to_the_planner_before_its_first_send(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 3)
        campaign_id = launch_to(db, phones(distribute.ANALYZE_FROM)).campaign_id
    run(engine, lambda db: distribute.distribute(db, campaign_id))
    with engine.connect() as db:
        known = db.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'messages'")).scalar_one()
    assert known == distribute.ANALYZE_FROM


def test_begin_reads_the_messages_of_its_own_device_even_if_the_planner_knows_of_no_single_ones(engine: Engine) -> None:
    with engine.begin() as db:
        devices = add_devices(db, 100)
        campaign_id = launch_to(db, phones(2 * distribute.ANALYZE_FROM)).campaign_id
    run(engine, lambda db: distribute.distribute(db, campaign_id))
    with engine.begin() as db:
        db.execute(
            text(
                "INSERT INTO messages (workspace_id, origin, phone, text, device_id)"
                " SELECT workspace_id, 'single', '+972520000' || row_number() OVER (), 'Hello', devices.id"
                " FROM devices, generate_series(1, 20)"
            )
        )
        parameters = dict.fromkeys(("lease_s", "fraction", "jitter_s", "jitter_from_s", "catch_up_s"), 0.0)
        plan = db.execute(
            text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query('begin').text}"),
            {**parameters, "device_id": devices[0], "slot": 0, "worker_id": "w"},
        ).scalar_one()
    assert max(_rows_of_messages(plan[0]["Plan"])) <= 20


def _rows_of_messages(node: dict[str, Any]) -> list[float]:
    """How many rows each part of a plan that reads messages has read, those that it left aside included."""
    read = (
        [node["Actual Rows"] + node.get("Rows Removed by Filter", 0)] if node.get("Relation Name") == "messages" else []
    )
    return read + [rows for part in node.get("Plans", []) for rows in _rows_of_messages(part)]
