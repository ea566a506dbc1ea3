"""What Meta's webhook lets in and what it does not, over the real API: nothing that Meta has not signed leaves a trace."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import graph_payloads
import pytest
import requests
from cloud_numbers import add_numbers
from databases import database
from fleet import Fleet
from posting import (
    APP_SECRET,
    NUMBER,
    PATH,
    PHONE,
    SETTINGS,
    VERIFY_TOKEN,
    body,
    post,
    send,
    signature,
    status,
    stored,
)
from waiting import until

from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis

MB = 1024 * 1024
LIMIT = 3 * MB
FUZZED = 2_000


@pytest.fixture(scope="module")
def fleet(
    postgres: EmbeddedPostgres, template: str, redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """One API for all of these; each test looks at what it has added."""
    with database(postgres.url, "webhooks", template=template) as url:
        fleet = Fleet(tmp_path_factory.mktemp("webhooks") / "fleet", url, redis_server.url, **SETTINGS)
        fleet.start("api")
        yield fleet
        fleet.stop()


@pytest.fixture
def leaves_no_trace(fleet: Fleet) -> Iterator[None]:
    """What a test posts is not stored, is no failure of ours, and neither it nor a secret stands in the log."""
    before, logged = stored(fleet), len(fleet.log("api"))
    yield
    assert stored(fleet) == before
    clean(fleet.log("api")[logged:])


def clean(log: str) -> None:
    assert "Traceback" not in log
    assert "Exception" not in log
    for secret in (APP_SECRET, VERIFY_TOKEN, PHONE, "wamid", "biz_opaque"):
        assert secret not in log, secret


def refused(answer: requests.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text


def test_a_good_one_is_stored_and_answered(fleet: Fleet) -> None:
    told, logged = status(), len(fleet.log("api"))
    answer = post(fleet, body([told]))
    assert (answer.status_code, answer.json()) == (200, {"stored": True})
    (row,) = fleet.rows("SELECT * FROM events WHERE data ->> 'message_id' = :id", id=told["id"])
    assert (row.session, row.type, row.applied_at) == (NUMBER, "receipt", None)
    assert row.at.isoformat() == "2026-09-21T14:13:20+00:00"
    assert row.data["key"] == told["biz_opaque_callback_data"]
    clean(fleet.log("api")[logged:])


def test_a_thousand_statuses_are_one_commit(fleet: Fleet) -> None:
    before = stored(fleet)
    assert post(fleet, body(status() for _ in range(1_000))).status_code == 200
    assert stored(fleet) == before + 1_000
    assert (
        fleet.one("SELECT count(DISTINCT xmin::text) FROM (SELECT xmin FROM events ORDER BY id DESC LIMIT 1000) e") == 1
    )


def test_what_comes_again_has_no_second_effect(fleet: Fleet) -> None:
    first, second = status(), status()
    raw = body([first])
    before = stored(fleet)
    assert [post(fleet, raw).status_code for _ in range(3)] == [200, 200, 200]
    assert post(fleet, body([second, first, first])).status_code == 200
    assert stored(fleet) == before + 2


@pytest.mark.usefixtures("leaves_no_trace")
@pytest.mark.parametrize(
    "signed",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "0" * 64,
        "sha256=é",
        "SHA256",
        "sha1",
        "upper",
        "bare",
        "cut",
        "padded",
        "of the other secret",
        "of another body",
    ],
)
def test_what_is_not_signed_by_meta(fleet: Fleet, signed: str | None) -> None:
    raw = body([status()])
    good = signature(raw)
    given = {
        "SHA256": good.replace("sha256", "SHA256"),
        "sha1": good.replace("sha256", "sha1"),
        "upper": "sha256=" + good[7:].upper(),
        "bare": good[7:],
        "cut": good[:-1],
        "padded": good + "0",
        "of the other secret": graph_payloads.sign(raw, "the secret of another app"),
        "of another body": signature(body([status()])),
    }.get(signed or "", signed)
    answer = post(fleet, raw, None if given is None else given.encode("latin-1"))  # type: ignore[arg-type]
    refused(answer, 401, "BAD_SIGNATURE")


@pytest.mark.usefixtures("leaves_no_trace")
def test_other_bytes_than_those_that_were_signed(fleet: Fleet) -> None:
    raw = body([status()])
    good = signature(raw)
    again = json.dumps(json.loads(raw), separators=(",", ":")).encode()
    for other in (raw[:-1], raw + b"\n", again, raw.replace(b"delivered", b"read"), b"", b"\xef\xbb\xbf" + raw):
        refused(post(fleet, other, good), 401, "BAD_SIGNATURE")


@pytest.mark.usefixtures("leaves_no_trace")
def test_compressed_ones(fleet: Fleet) -> None:
    packed = gzip.compress(body([status()]))
    for encoding in ("gzip", "deflate, gzip", "br", ""):
        refused(post(fleet, packed, Content_Encoding=encoding), 415, "ENCODED")


@pytest.mark.usefixtures("leaves_no_trace")
def test_too_large_ones_are_refused_before_they_have_come(fleet: Fleet) -> None:
    assert send(fleet, {"Content-Length": str(LIMIT + 1)}, b"{") == 413
    assert send(fleet, {"Content-Length": str(10**15)}, b"{") == 413
    assert send(fleet, {"X-Long": "a" * MB}, b"") == 0
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    headers = {"Transfer-Encoding": "chunked", "X-Hub-Signature-256": signature(b"")}
    assert send(fleet, headers, chunk * 49) == 413  # no last chunk: it is not waited for


def test_the_largest_that_meta_sends_is_taken(fleet: Fleet) -> None:
    raw = body([status()])
    before = stored(fleet)
    assert post(fleet, raw + b" " * (LIMIT - len(raw))).status_code == 200
    assert stored(fleet) == before + 1


@pytest.mark.usefixtures("leaves_no_trace")
def test_lengths_that_are_not_true(fleet: Fleet) -> None:
    raw = body([status()])
    signed = {"X-Hub-Signature-256": signature(raw)}
    length = len(raw)
    assert send(fleet, {**signed, "Content-Length": str(length - 1)}, raw) in (400, 401)
    assert send(fleet, {**signed, "Content-Length": "100"}, raw + b"x" * 4 * MB) in (0, 400, 401)
    assert send(fleet, {**signed, "Content-Length": str(length + 1)}, raw) in (0, 400)
    assert send(fleet, {**signed, "Content-Length": str(LIMIT)}, raw) in (0, 400)
    assert send(fleet, signed, raw) in (400, 401)  # without a length there is no body
    for odd in ("-1", "ten", "0x10", "", "1, 2"):
        assert send(fleet, {**signed, "Content-Length": odd}, raw) in (400, 401)
    both = {**signed, "Content-Length": str(length), "Transfer-Encoding": "chunked"}
    assert send(fleet, both, raw) in (0, 400)
    cut = b"%x\r\n" % length + raw
    assert send(fleet, {**signed, "Transfer-Encoding": "chunked"}, cut) in (0, 400)


def test_what_is_signed_and_unreadable_is_kept(fleet: Fleet) -> None:
    """Refused, it would come again for seven days and then be lost."""
    logged = len(fleet.log("api"))
    for raw in (b"", b"{", b"\xff\xfe", b"[1e999]", b'{"entry": "x"}', b"[" * 100_000):
        assert post(fleet, raw).status_code == 200
    kept = fleet.rows("SELECT data ->> 'text' FROM events WHERE type = 'unread' ORDER BY id")
    assert [text for (text,) in kept] == ["", "{", "\ufffd\ufffd", "[1e999]", '{"entry": "x"}', "[" * 100_000]
    log = fleet.log("api")[logged:]
    assert log.count("could not be read; they are kept") == 6
    clean(log)


def test_it_says_that_it_is_ours(fleet: Fleet) -> None:
    answer = verified(fleet)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.usefixtures("leaves_no_trace")
@pytest.mark.parametrize(
    "other",
    [
        {"hub.verify_token": "another word"},
        {"hub.verify_token": VERIFY_TOKEN + "é"},
        {"hub.verify_token": ""},
        {"hub.verify_token": None},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": None},
        {"hub.challenge": None},
    ],
)
def test_it_says_so_to_nobody_else(fleet: Fleet, other: dict[str, Any]) -> None:
    answer = verified(fleet, **other)
    refused(answer, 403, "NOT_VERIFIED")
    assert "1158201444" not in answer.text


def verified(fleet: Fleet, **other: Any) -> requests.Response:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444", **other}
    return requests.get(fleet.api_url + PATH, params=asked, timeout=30)


def test_a_database_that_hangs_gathers_nothing_here(fleet: Fleet) -> None:
    """Who was told to come again is not waited for: only what was on its way to the database may still be stored."""
    under_way, waiting, later = status(), status(), status()
    with ThreadPoolExecutor(2) as pool:
        with fleet.engine.begin() as db:
            db.exec_driver_sql("LOCK TABLE events IN EXCLUSIVE MODE")
            first = pool.submit(post, fleet, body([under_way]))
            until(lambda: fleet.one("SELECT count(*) FROM pg_locks WHERE NOT granted"), "the first waits for the table")
            second = pool.submit(post, fleet, body([waiting]))
            for answer in (first, second):
                refused(answer.result(), 503, "DATABASE_AWAY")
        assert post(fleet, body([later])).status_code == 200
    kept = fleet.rows("SELECT data ->> 'message_id' FROM events ORDER BY id DESC LIMIT 2")
    assert [id for (id,) in kept] == [later["id"], under_way["id"]]
    assert post(fleet, body([waiting])).status_code == 200


@pytest.mark.usefixtures("leaves_no_trace")
def test_thousands_of_fuzzed_ones(fleet: Fleet) -> None:
    """Good posts with something changed in the body, the signature or the length: none comes in, none makes us fail."""
    rng = random.Random(6)
    requests_of = [fuzzed(rng) for _ in range(FUZZED)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: send(fleet, each[0], each[1]), requests_of))
    assert set(answers) <= {0, 400, 401, 413, 415}, sorted(set(answers))
    assert answers.count(401) > FUZZED / 2
    told = status()
    assert post(fleet, body([told])).status_code == 200  # and it still works
    fleet.execute("DELETE FROM events WHERE data ->> 'message_id' = :id", id=told["id"])


def fuzzed(rng: random.Random) -> tuple[dict[str, str], bytes]:
    """Headers and body of a good post after some mutations, of which at least one takes its signature away."""
    raw = body([status(status=rng.choice(["sent", "delivered", "read", "failed"])) for _ in range(rng.randint(1, 5))])
    signed, changed = signature(raw), raw
    while changed == raw and signed == signature(raw):
        for _ in range(rng.randint(1, 4)):
            if rng.random() < 0.7:
                changed = mutated(rng, changed)
            else:
                signed = mutated(rng, signed.encode("latin-1")).decode("latin-1").translate({10: "x", 13: "x", 0: "x"})
    headers = {"X-Hub-Signature-256": signed, "Content-Length": str(len(changed))}
    if rng.random() < 0.1:
        headers["Content-Length"] = str(max(0, len(changed) + rng.randint(-50, 50)))
    if rng.random() < 0.05:
        headers["Content-Encoding"] = rng.choice(["gzip", "identity", "br"])
    if rng.random() < 0.05:
        headers["Content-Type"] = rng.choice(["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
    return headers, changed


def mutated(rng: random.Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw) + 1)
    until = min(len(raw), at + rng.choice([1, 2, 8, 200]))
    piece = rng.randbytes(rng.choice([1, 3, 30]))
    return rng.choice(
        [
            raw[:at] + raw[until:],
            raw[:at],
            raw[:at] + piece + raw[at:],
            raw[:at] + piece + raw[until:],
            raw[:until] + raw[at:],
            raw[at:] + raw[:at],
            raw.replace(b'"', b"'", 1),
            raw[:at] + bytes(byte ^ 0x20 for byte in raw[at:until]) + raw[until:],
        ]
    )


def test_where_nothing_is_set_up(fleet: Fleet, make_fleet: Any) -> None:
    bare = make_fleet().start("api")
    assert "[WEBHOOKS]" not in bare.log("api")
    for _ in range(3):
        refused(post(bare, body([status()])), 503, "NOT_CONFIGURED")
        refused(verified(bare), 503, "NOT_CONFIGURED")
    assert stored(bare) == 0
    assert bare.log("api").count("[WEBHOOKS] not taken: CLOUD_APP_SECRET is not set here") == 1


@pytest.mark.parametrize("missing", [["CLOUD_APP_SECRET"], ["CLOUD_VERIFY_TOKEN"], list(map(str.upper, SETTINGS)), []])
def test_where_there_are_official_numbers_it_warns_that_nothing_can_arrive(make_fleet: Any, missing: list[str]) -> None:
    key = base64.b64encode(bytes(32)).decode()
    given = {name: value for name, value in SETTINGS.items() if name.upper() not in missing}
    fleet = make_fleet(cloud_token_key=key, **given)
    with fleet.engine.begin() as db:
        add_numbers(db, 1)
    log = fleet.start("api").log("api")
    assert log.count(" WARNING ") == log.count(f"[WEBHOOKS] without {' and '.join(missing)} Meta") == bool(missing)
