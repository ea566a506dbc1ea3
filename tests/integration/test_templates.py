"""The templates of business accounts: as Meta last told them, and which numbers can send them."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_numbers import add_numbers
from people import add_devices, workspace
from sqlalchemy import Connection, text

from bridge.cloud.accounts import Account
from bridge.protocol import BridgeAwayError, BridgeRefusedError
from services import sync_templates, templates
from services.cloud import Cloud
from services.refused import Refused
from services.seal import Seal

BODY = [{"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Dana"]]}}]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def template(name: str = "hello", **more: Any) -> dict[str, Any]:
    """As Meta's API lists one."""
    return {
        "id": "1",
        "name": name,
        "language": "en_US",
        "status": "APPROVED",
        "category": "MARKETING",
        "parameter_format": "POSITIONAL",
        "components": BODY,
        **more,
    }


def names(db: Connection) -> list[tuple[str, str, str]]:
    return [(each.name, each.language, each.status) for each in templates.every(db, workspace(db))]


def test_what_meta_has_is_kept_and_what_it_has_no_more_is_gone(db: Connection) -> None:
    devices = add_numbers(db, 2)
    assert (
        templates.sync(db, "business-1", [template(), template(language="he"), template("sale", status="PENDING")]) == 3
    )
    assert names(db) == [("hello", "en_US", "APPROVED"), ("hello", "he", "APPROVED"), ("sale", "en_US", "PENDING")]
    before = templates.synced_at(db, workspace(db))
    assert templates.sync(db, "business-1", [template(status="PAUSED"), template("new")]) == 2
    assert names(db) == [("hello", "en_US", "PAUSED"), ("new", "en_US", "APPROVED")]
    (known, _) = templates.every(db, workspace(db))
    assert (known.category, known.components, known.device_ids) == ("MARKETING", BODY, devices)
    after = templates.synced_at(db, workspace(db))
    assert before is not None
    assert after is not None
    assert after > before
    assert templates.sync(db, "business-1", []) == 0
    assert (names(db), templates.synced_at(db, workspace(db))) == ([], None)


def test_one_account_does_not_touch_another(db: Connection) -> None:
    add_numbers(db, 1)
    add_numbers(db, 1, business_id="business-2", name="other")
    templates.sync(db, "business-1", [template("mine")])
    templates.sync(db, "business-2", [template("theirs")])
    templates.sync(db, "business-1", [])
    assert names(db) == [("theirs", "en_US", "APPROVED")]


def test_what_nobody_could_send_is_left_out_and_odd_words_are_kept(db: Connection) -> None:
    add_numbers(db, 1)
    odd = [
        {"name": "no language", "components": BODY},
        {"name": 7, "language": "en", "components": BODY},
        {"name": "".join(chr(0x5000 + at) for at in range(2000)), "language": "en", "components": BODY},
        {"name": "no parts", "language": "en"},
        template("odd\0", status=None, category=None, parameter_format="Named"),
        template("odd\0"),
    ]
    assert templates.sync(db, "business-1", odd[:5]) == 1
    (found,) = templates.every(db, workspace(db))
    assert (found.name, found.status, found.category, found.parameter_format) == (
        "odd\ufffd",
        "UNKNOWN",
        "UNKNOWN",
        "NAMED",
    )
    assert templates.sync(db, "business-1", odd[4:]) == 1


@pytest.mark.parametrize(
    "components",
    [
        [None, 5],
        ["BODY"],
        {"type": "BODY"},
        [{"type": "BODY", "text": "Hello", "example": float("inf")}],
        [{"type": "BUTTONS"}],
        [{"type": "buttons", "buttons": "abc"}],
        [{"type": "BUTTONS", "buttons": [1, None]}],
    ],
)
def test_parts_that_are_none_are_left_out_and_the_others_stay(db: Connection, components: Any) -> None:
    add_numbers(db, 1)
    assert templates.sync(db, "business-1", [template("odd", components=components), template()]) == 1
    assert names(db) == [("hello", "en_US", "APPROVED")]


def test_only_numbers_whose_account_has_it_approved_can_send_it(db: Connection) -> None:
    add_devices(db, 1)
    mine = add_numbers(db, 2)
    theirs = add_numbers(db, 1, business_id="business-2", name="other")
    templates.sync(db, "business-1", [template(), template("mine")])
    other_example = [{**BODY[0], "example": {"body_text": [["Noa"]]}}]
    templates.sync(db, "business-2", [template(components=other_example), template("mine", status="REJECTED")])
    usable = {each.name: each.device_ids for each in templates.usable(db, workspace(db))}
    assert usable == {"hello": [*mine, *theirs], "mine": mine}
    assert templates.one(db, workspace(db), "mine", "en_US") is not None
    assert templates.one(db, workspace(db), "mine", "he") is None


def test_of_two_templates_of_one_name_that_of_most_numbers_counts(db: Connection) -> None:
    few = add_numbers(db, 1, business_id="business-0", name="few")
    many = add_numbers(db, 2)
    templates.sync(db, "business-0", [template(components=[{"type": "BODY", "text": "Other"}])])
    templates.sync(db, "business-1", [template()])
    (found,) = templates.usable(db, workspace(db))
    assert (found.components, found.device_ids) == (BODY, many)
    templates.sync(db, "business-1", [template(status="PAUSED")])
    (found,) = templates.usable(db, workspace(db))
    assert found.device_ids == few


class Meta:
    """Stands for the client: what each token is answered."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.subscribed: list[str] = []
        self.unsubscribed: Exception | None = None

    def subscribe(self, account: Account) -> None:
        self.subscribed.append(account.business_id)
        if self.unsubscribed:
            raise self.unsubscribed

    def templates(self, account: Account) -> list[dict[str, Any]]:
        self.asked.append(account.token)
        answer = self.answers[account.token]
        if isinstance(answer, Exception):
            raise answer
        return list(answer)


class Numbers:
    def __init__(self, *accounts: Account) -> None:
        self.accounts = list(accounts)

    def one(self, session: str) -> Account | None:
        raise NotImplementedError

    def every(self) -> list[Account]:
        return self.accounts


def sync_all(db: Connection, meta: Meta, *accounts: Account) -> list[sync_templates.Fetched]:
    cloud = Cloud(meta, Numbers(*accounts), Seal(KEY))  # type: ignore[arg-type]
    return sync_templates.sync_all(lambda work: work(db), cloud)


def test_each_account_is_asked_once_and_a_refused_token_gives_way_to_the_next(db: Connection) -> None:
    add_numbers(db, 3)
    add_numbers(db, 1, business_id="business-2", name="other")
    db.execute(
        text(
            "INSERT INTO templates (business_id, name, language, status, category, parameter_format, components)"
            " VALUES ('gone', 'old', 'en', 'APPROVED', 'UTILITY', 'POSITIONAL', '[]')"
        )
    )
    templates.sync(db, "business-2", [template("kept")])
    meta = Meta(
        {
            "old": BridgeRefusedError(401, "token_refused", "Session has expired"),
            "good": [template()],
            "away": BridgeAwayError("bridge_unreachable", "Meta does not answer"),
        }
    )
    found = sync_all(
        db,
        meta,
        Account("1", "business-1", "old"),
        Account("9", "business-2", "away"),
        Account("2", "business-1", "good"),
        Account("3", "business-1", "good"),
    )
    assert meta.asked == ["old", "good", "away"]
    assert found == [
        sync_templates.Fetched("business-1", 1),
        sync_templates.Fetched("business-2", 0, "Meta does not answer"),
    ]
    assert names(db) == [("hello", "en_US", "APPROVED"), ("kept", "en_US", "APPROVED")]
    assert db.execute(text("SELECT count(*) FROM templates WHERE business_id = 'gone'")).scalar_one() == 0


def test_when_every_token_is_refused_the_first_reason_is_told(db: Connection) -> None:
    meta = Meta({token: BridgeRefusedError(401, "token_refused", f"{token} refused") for token in ("a", "b")})
    found = sync_all(db, meta, Account("1", "business-1", "a"), Account("2", "business-1", "b"))
    assert found == [sync_templates.Fetched("business-1", 0, "a refused")]


def test_each_time_the_webhooks_are_let_come_too(db: Connection) -> None:
    add_numbers(db, 1)
    meta = Meta({"good": [template()]})
    account = Account("1", "business-1", "good")
    meta.unsubscribed = BridgeRefusedError(400, "message_refused", "No app")
    assert sync_all(db, meta, account) == [sync_templates.Fetched("business-1", 1, unsubscribed="No app")]
    meta.unsubscribed = None
    assert sync_all(db, meta, account) == [sync_templates.Fetched("business-1", 1)]
    assert meta.subscribed == ["business-1", "business-1"]


def test_a_token_that_does_not_open_asks_nothing(db: Connection) -> None:
    meta = Meta({"good": [template()]})
    (told,) = sync_all(db, meta, Account("1", "business-1", ""))
    assert told.trouble == "its access token was sealed with another CLOUD_TOKEN_KEY"
    assert sync_all(db, meta, Account("1", "business-1", ""), Account("2", "business-1", "good"))[0].templates == 1
    assert meta.asked == ["good"]


def test_one_synchronising_at_a_time(db: Connection) -> None:
    class Twice(Meta):
        def templates(self, account: Account) -> list[dict[str, Any]]:
            with pytest.raises(Refused) as refused:
                sync_all(db, self, account)
            assert refused.value.code == "SYNCHRONISING"
            return super().templates(account)

    for _ in range(2):
        assert sync_all(db, Twice({"good": []}), Account("1", "business-1", "good"))[0].trouble is None


def test_without_a_key_nothing_is_synchronised() -> None:
    with pytest.raises(Refused) as refused:
        sync_templates.sync_all(lambda work: work(None), None)
    assert refused.value.code == "CLOUD_NOT_SET_UP"
