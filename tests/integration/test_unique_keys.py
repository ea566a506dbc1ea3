"""What the database keeps once, whoever writes it."""

from __future__ import annotations

import pytest
from people import add_devices
from placing import place_campaign, place_message
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

AGAIN = {
    "attempts_pkey": (
        "INSERT INTO attempts (message_id, number, device_id, worker_id, due_at, begun_at)"
        " SELECT message_id, number, device_id, 'another', due_at, begun_at FROM attempts"
    ),
    "devices_session_key": (
        "INSERT INTO devices (workspace_id, name, provider, session, min_gap_s, max_gap_s)"
        " SELECT workspace_id, 'another', provider, session, 0, 0 FROM devices"
    ),
    "events_event_id_key": (
        "INSERT INTO events (event_id, session, type, at, data) SELECT event_id, 'another', '', at, data FROM events"
    ),
    "idempotency_pkey": (
        "INSERT INTO idempotency (workspace_id, key, request_hash) SELECT workspace_id, key, 'another' FROM idempotency"
    ),
    "suppressions_pkey": (
        "INSERT INTO suppressions (workspace_id, phone, reason, proof)"
        " SELECT workspace_id, phone, 'opt_out', 'another' FROM suppressions"
    ),
}


@pytest.mark.parametrize("key", AGAIN)
def test_it_is_there_once(db: Connection, key: str) -> None:
    (device_id,) = add_devices(db, 1)
    place_message(db, place_campaign(db), "sent", device_id=device_id, attempts=["sent"])
    for once in (
        "INSERT INTO events (event_id, session, type, at, data) VALUES ('an event', '', '', clock_timestamp(), '{}')",
        "INSERT INTO idempotency (workspace_id, key, request_hash) SELECT id, 'a key', '' FROM workspaces",
        "INSERT INTO suppressions (workspace_id, phone, reason, proof)"
        " SELECT id, '+972501234567', 'by_hand', '' FROM workspaces",
    ):
        db.execute(text(once))
    step = db.begin_nested()
    with pytest.raises(IntegrityError, match=key):
        db.execute(text(AGAIN[key]))
    step.rollback()
