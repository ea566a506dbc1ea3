"""The demo's workspace and devices, made once, with their provider's pace; and what another bridge does to devices."""

import os
import subprocess
import sys

from sqlalchemy import Connection, Engine, text

from domain.pacing import DEFAULTS
from local.seed import DEVICES, seed, serve
from services import workspaces
from services.add_device import NewDevice, add_device
from settings import ROOT


def test_what_the_user_deletes_stays_deleted(engine: Engine) -> None:
    with engine.begin() as db:
        assert seed(db, default_country="IL", time_zone="UTC")
        devices = db.execute(text("SELECT name, session, bridge_address, min_gap_s FROM devices ORDER BY id")).all()
        assert tuple(devices[0]) == ("Demo phone 1", "demo-1", "default", DEFAULTS["simulator"].min_gap_s)
        assert len(devices) == DEVICES
        db.execute(text("DELETE FROM devices"))
        assert not seed(db, default_country="IL", time_zone="UTC")
        assert db.execute(text("SELECT count(*) FROM devices")).scalar_one() == 0


def able(db: Connection) -> list[str]:
    """Who can send, as far as is known before anybody was looked at."""
    return list(db.execute(text("SELECT name FROM devices WHERE can_send ORDER BY id")).scalars())


def test_phones_of_the_bridge_before_rest_and_are_there_when_it_is_back(engine: Engine) -> None:
    with engine.begin() as db:
        serve(db, "simulator")
        seed(db, default_country="IL", time_zone="UTC")
        db.execute(text("UPDATE devices SET can_send = true, state = 'open'"))
        serve(db, "simulator")
        assert len(able(db)) == DEVICES

        serve(db, "baileys")
        assert able(db) == []
        assert set(db.execute(text("SELECT state FROM devices")).scalars()) == {"wrong_bridge"}
        workspace = workspaces.first(db, default_country="IL", time_zone="UTC")
        real = NewDevice(workspace.id, "Sales 1", "baileys", "sales-1", "default", None, None, None)
        add_device(db, real, who="test")
        db.execute(text("UPDATE devices SET can_send = true WHERE provider = 'baileys'"))
        serve(db, "baileys")
        assert able(db) == ["Sales 1"]

        serve(db, "simulator")
        assert able(db) == []
        assert db.execute(text("SELECT count(*) FROM devices")).scalar_one() == DEVICES + 1


def test_real_whatsapp_gets_no_demo_phones(engine: Engine, database_url: str) -> None:
    env = {**os.environ, "DATABASE_URL": database_url, "BRIDGE": "baileys"}
    subprocess.run([sys.executable, "-m", "local.seed"], cwd=ROOT, env=env, check=True, capture_output=True)
    with engine.begin() as db:
        assert db.execute(text("SELECT count(*) FROM devices")).scalar_one() == 0
        assert db.execute(text("SELECT provider FROM bridges WHERE address = 'default'")).scalar_one() == "baileys"
