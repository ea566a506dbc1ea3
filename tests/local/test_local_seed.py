"""The demo's workspace and devices: made once, with their provider's pace."""

from sqlalchemy import Engine, text

from domain.pacing import DEFAULTS
from local.seed import DEVICES, seed


def test_what_the_user_deletes_stays_deleted(engine: Engine) -> None:
    with engine.begin() as db:
        assert seed(db, default_country="IL", time_zone="UTC")
        devices = db.execute(text("SELECT name, session, bridge_address, min_gap_s FROM devices ORDER BY id")).all()
        assert tuple(devices[0]) == ("Demo phone 1", "demo-1", "default", DEFAULTS["simulator"].min_gap_s)
        assert len(devices) == DEVICES
        db.execute(text("DELETE FROM devices"))
        assert not seed(db, default_country="IL", time_zone="UTC")
        assert db.execute(text("SELECT count(*) FROM devices")).scalar_one() == 0
