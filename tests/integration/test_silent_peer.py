"""A database that vanished while it owed an answer is let go by both sides, with the locks that it held."""

from __future__ import annotations

import os
import socket
from typing import Any

from sqlalchemy import Engine


def test_both_sides_let_go_within_half_a_minute(engine: Engine) -> None:
    with engine.begin() as db:
        assert db.exec_driver_sql("SHOW tcp_user_timeout").scalar_one() == "30000"
        raw: Any = db.connection.driver_connection
        with socket.socket(fileno=os.dup(raw.fileno())) as ours:
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
