"""The numbers that the client of the Cloud API sends from, out of the database."""

from __future__ import annotations

import base64
import logging

import pytest
from cloud_numbers import add_numbers
from databases import admin, database
from people import add_devices
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from bridge.cloud.accounts import Account
from bridge.cloud.client import CloudBridge
from bridge.protocol import NotSent, Outbound, Text
from db.engine import connect, run
from local.postgres import EmbeddedPostgres
from services import cloud_accounts
from services.cloud_accounts import KeptAccounts
from services.seal import Seal

KEY, OTHER = (base64.b64encode(bytes([byte]) * 32).decode() for byte in b"ab")
SEAL = Seal(KEY)


def give_token(db: Connection, session: str, token: str, seal: Seal = SEAL) -> None:
    db.execute(
        text(
            "UPDATE cloud_numbers SET sealed_token = :sealed FROM devices d WHERE d.id = device_id AND d.session = :session"
        ),
        {"sealed": seal.seal(token, session), "session": session},
    )


@pytest.fixture
def numbers(engine: Engine) -> KeptAccounts:
    """Two numbers with tokens, and a phone that is none."""

    def add(db: Connection) -> None:
        add_devices(db, 1)
        add_numbers(db, 2)
        give_token(db, "number1", "token 1")
        give_token(db, "number2", "token 2")

    run(engine, add)
    return KeptAccounts(engine, SEAL)


def test_each_number_has_its_account_and_token(numbers: KeptAccounts) -> None:
    first, second = Account("number1", "business-1", "token 1"), Account("number2", "business-1", "token 2")
    assert numbers.one("number1") == first
    assert (numbers.one("number3"), numbers.one("device1")) == (None, None)
    assert numbers.every() == [first, second]
    assert "token 1" not in repr(numbers.every())


def test_a_new_token_counts_within_seconds_and_at_once_for_a_look(
    numbers: KeptAccounts, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert numbers.one("number1") is not None
    run(engine, lambda db: give_token(db, "number1", "new"))
    found = numbers.one("number1")
    assert found is not None
    assert found.token == "token 1"  # a send does not ask the database each time
    monkeypatch.setattr(cloud_accounts.time, "monotonic", lambda now=cloud_accounts.time.monotonic: now() + 5)
    found = numbers.one("number1")
    assert found is not None
    assert found.token == "new"
    run(engine, lambda db: give_token(db, "number1", "newer"))
    assert numbers.every()[0].token == "newer"


def test_a_token_under_another_key_stops_its_own_number_only(
    numbers: KeptAccounts, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    run(engine, lambda db: give_token(db, "number1", "token 1", Seal(OTHER)))
    with caplog.at_level(logging.ERROR, "fanfare.cloud"):
        for _ in range(3):
            assert [account.token for account in numbers.every()] == ["", "token 2"]
    (told,) = caplog.messages
    assert "number1" in told
    assert "sealed with another CLOUD_TOKEN_KEY" in told
    assert "token 2" not in caplog.text


def test_while_the_database_is_away_what_was_known_is_used(
    postgres: EmbeddedPostgres, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_accounts, "KEPT_S", 0.0)
    monkeypatch.setattr(cloud_accounts, "PATIENCE_S", 0.0)
    with database(postgres.url, "going", template=template) as url:
        engine = connect(url, threads=2, name="tests")

        def add(db: Connection) -> None:
            add_numbers(db, 1)
            give_token(db, "number1", "token 1")

        run(engine, add)
        numbers, never_read = KeptAccounts(engine, SEAL), KeptAccounts(engine, SEAL)
        known = numbers.one("number1")
        assert known is not None
        admin(postgres.url, "ALTER DATABASE going ALLOW_CONNECTIONS false")
        engine.dispose()
        assert numbers.one("number1") == known
        with pytest.raises(OperationalError):
            numbers.every()
        client = CloudBridge(never_read, "http://127.0.0.1:9", "v24.0", send_limit_s=1, http_timeout_s=2)
        told = client.send(Outbound("number1", "1.1", "972501234567@s.whatsapp.net", Text("Hello")))
        assert isinstance(told, NotSent)  # nothing was written, so nothing is in doubt
        assert (told.code, told.proof) == ("bridge_unreachable", "refused")
