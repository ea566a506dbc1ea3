from __future__ import annotations

import random

from people import add_devices, launch_to, phones
from sqlalchemy import Engine, text

from db.engine import run
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
    assert prepared[0].types == ["bigint", "smallint", "text", *["double precision"] * 4]


def test_a_large_campaign_is_known_to_the_planner_before_its_first_send(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 3)
        campaign_id = launch_to(db, phones(distribute.ANALYZE_FROM)).campaign_id
    run(engine, lambda db: distribute.distribute(db, campaign_id))
    with engine.connect() as db:
        known = db.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'messages'")).scalar_one()
    assert known == distribute.ANALYZE_FROM
