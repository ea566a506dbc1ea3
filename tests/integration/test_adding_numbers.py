"""Adding an official number and replacing its token: Meta is asked first, and with no transaction open."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from people import workspace
from sqlalchemy import Connection, Engine, text

from bridge.cloud.accounts import Account
from bridge.protocol import BridgeAwayError, BridgeRefusedError, SessionStatus
from db.engine import run as in_transaction
from services import cloud_numbers
from services.add_device import NewDevice, SealedNumber, add_device
from services.cloud import Cloud
from services.cloud_accounts import KeptAccounts
from services.cloud_numbers import NewNumber
from services.refused import Refused
from services.seal import Seal

SEAL = Seal(base64.b64encode(b"k" * 32).decode())
ACCOUNT = Account("100", "200", "EAAtoken")
AWAY = BridgeAwayError("bridge_unreachable", "Meta does not answer")


class Meta:
    """Stands for the client, and looks whether the database is left alone meanwhile."""

    def __init__(self, engine: Engine, **raises: Exception) -> None:
        self.engine = engine
        self.raises = raises
        self.asked: list[str] = []

    def verify(self, account: Account) -> SessionStatus:
        self._ask("verify")
        return SessionStatus(account.phone_number_id, "open", True, True, False, None, "+972501234567", None, None)

    def subscribe(self, account: Account) -> None:
        self._ask("subscribe")

    def templates(self, account: Account) -> list[dict[str, Any]]:
        self._ask("templates")
        return [{"name": "hello", "language": "en", "components": []}]

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        with self.engine.begin() as db:
            busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            assert db.execute(text(busy)).scalar_one() == 0
        if what in self.raises:
            raise self.raises[what]


@pytest.fixture
def run(engine: Engine) -> Callable[[Callable[[Connection, int], Any]], Any]:
    return lambda work: in_transaction(engine, lambda db: work(db, workspace(db)))


def cloud(engine: Engine, **raises: Exception) -> Cloud:
    return Cloud(Meta(engine, **raises), KeptAccounts(engine, SEAL), SEAL)  # type: ignore[arg-type]


def add(engine: Engine, run: Any, with_cloud: Cloud) -> cloud_numbers.Added:
    return cloud_numbers.add(run, with_cloud, NewNumber("Sales", ACCOUNT), who="dana")


def test_meta_is_asked_before_and_told_after(engine: Engine, run: Any) -> None:
    meta = cloud(engine)
    added = add(engine, run, meta)
    assert meta.client.asked == ["verify", "subscribe", "templates"]  # type: ignore[attr-defined]
    assert added.trouble is None
    assert meta.accounts.every() == [ACCOUNT]


@pytest.mark.parametrize(
    ("at", "error", "words"),
    [
        (
            "subscribe",
            BridgeRefusedError(400, "message_refused", "No app"),
            "Meta does not send its receipts here yet: No app",
        ),
        ("subscribe", AWAY, "Meta does not send its receipts here yet: Meta does not answer"),
        (
            "templates",
            BridgeRefusedError(403, "token_refused", "No permission"),
            "Its templates could not be fetched: No permission",
        ),
    ],
)
def test_what_cannot_be_done_besides_is_said_and_the_number_is_there(
    engine: Engine, run: Any, at: str, error: Exception, words: str
) -> None:
    meta = cloud(engine, **{at: error})
    assert add(engine, run, meta).trouble == words
    assert meta.accounts.every() == [ACCOUNT]


def test_a_new_token_lets_the_webhooks_come_too(engine: Engine, run: Any) -> None:
    device_id = add(engine, run, cloud(engine, subscribe=AWAY)).device_id
    meta = cloud(engine)
    cloud_numbers.replace_token(run, meta, device_id, "EAAother", who="dana")
    assert meta.client.asked == ["verify", "subscribe"]  # type: ignore[attr-defined]
    away = cloud(engine, subscribe=AWAY)  # which does not undo it: each synchronising of templates tries again
    cloud_numbers.replace_token(run, away, device_id, "EAAthird", who="dana")
    assert [account.token for account in meta.accounts.every()] == ["EAAthird"]


@pytest.mark.parametrize(
    ("error", "code"), [(AWAY, "BRIDGE_AWAY"), (BridgeRefusedError(401, "token_refused", "Expired"), "META_REFUSED")]
)
def test_nothing_is_done_when_meta_does_not_vouch(engine: Engine, run: Any, error: Exception, code: str) -> None:
    meta = cloud(engine)
    added = add(engine, run, meta)
    doubting = cloud(engine, verify=error)
    for deed in (
        lambda: add(engine, run, doubting),
        lambda: cloud_numbers.replace_token(run, doubting, added.device_id, "EAAother", who="dana"),
    ):
        with pytest.raises(Refused) as refused:
            deed()
        assert refused.value.code == code
    assert meta.accounts.every() == [ACCOUNT]
    assert run(lambda db, _: db.execute(text("SELECT count(*) FROM audit")).scalar_one()) == 1


def test_a_token_is_of_a_number_and_a_number_has_a_token(engine: Engine) -> None:
    with engine.begin() as db:
        phone = NewDevice(workspace(db), "A", "baileys", "a", "default", None, None, None, SealedNumber("1", b""))
        number = NewDevice(workspace(db), "A", "cloud", "1", "cloud", None, None, None)
        for device in (phone, number):
            with pytest.raises(ValueError, match="comes with its token"):
                add_device(db, device, who="dana")


def test_a_number_that_was_deleted_meanwhile_gets_no_token(engine: Engine, run: Any) -> None:
    device_id = add(engine, run, cloud(engine)).device_id

    class Slow(Meta):
        def verify(self, account: Account) -> SessionStatus:
            with self.engine.begin() as db:
                db.execute(text("DELETE FROM devices"))
            return super().verify(account)

    slow = Cloud(Slow(engine), KeptAccounts(engine, SEAL), SEAL)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        cloud_numbers.replace_token(run, slow, device_id, "EAAother", who="dana")
    assert refused.value.code == "NOT_FOUND"
