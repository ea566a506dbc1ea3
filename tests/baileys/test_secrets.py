"""A full run leaves nothing in any output that is nobody's business: no key, no text, no number, no secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from bridges import EVENTS_SECRET, SECRET, Receiver, fresh, text_to
from leaking import forms_of, kept_keys, leaks
from partner import AUTH_KEY, FakeWhatsApp, Sidecar, digits, new_phone
from waiting import until

LOUD = Path(__file__).with_name("loud.mjs")


class Story:
    """Everything that a sidecar does, and what of it must not be told."""

    def __init__(self, sidecar: Sidecar, fake: FakeWhatsApp, receiver: Receiver, database_url: str) -> None:
        self.sidecar, self.fake, self.receiver = sidecar, fake, receiver
        self._database_url = database_url
        self.keys: list[bytes] = []
        self.texts = [SECRET, EVENTS_SECRET, AUTH_KEY]

    def run(self) -> None:
        bridge, fake = self.sidecar.bridge, self.fake
        ours = bridge.link("desk")
        person = fresh()
        self.texts += [ours, digits(person)]
        self._typed()
        self._send(person)
        self._send(person, kind="image", media={**_picture(), "filename": "The secret plan.png"})
        self.texts.append("The secret plan")
        self._asked_again()
        self._refused(479)
        for address in ("pn", "lid"):
            self._written(ours, person, "text", address)
        self._written(ours, person, "image", "pn")
        fake.close(ours, 515)
        bridge.until_able("desk")
        self._keep_keys()
        self._crash(person)
        self._send(person)
        self._refused(463)
        fake.close(ours, 401)
        until(lambda: bridge.status("desk")["state"] == "logged_out", "logged out")
        self._keep_keys()
        self.sidecar.stop()
        self.sidecar.start(BAILEYS_AUTH_KEY=base64.b64encode(bytes(32)).decode())
        until(lambda: bridge.status("typed")["last_error"] == "auth_unreadable", "the wrong key is noticed")
        self.sidecar.stop()

    def leaks(self) -> list[str]:
        assert len(self.keys) > 100  # prekeys, to begin with
        return leaks(self.sidecar.output(), keys=self.keys, texts=self.texts)

    def _send(self, person: str, **more: object) -> None:
        body = text_to(person, **{"text": f"A private matter: {Random(str(more)).random()}", **more})
        self.texts.append(str(body["text"]))
        assert self.sidecar.bridge.send("desk", body).status_code == 200
        until(lambda: {"delivered", "read"} <= set(self.receiver.receipts(body["key"])), "its receipts")

    def _typed(self) -> None:
        phone = new_phone()
        self.texts.append(phone)
        self.sidecar.bridge.post("/whatsapp/typed/start")
        self.sidecar.bridge.qr("typed")
        code = str(self.sidecar.bridge.post("/whatsapp/typed/pairing-code", {"phone": phone}).json()["code"])
        self.texts.append(code)
        self.fake.pair(code, phone)
        self.sidecar.bridge.until_able("typed")

    def _asked_again(self) -> None:
        """A phone loses its Signal session: libsignal closes the old one, and would print it."""
        person = fresh()
        self.texts.append(digits(person))
        self._send(person)
        self.fake.behave(phone=digits(person), retry=2, times=1)
        self._send(person)

    def _refused(self, error: int) -> None:
        person = fresh()
        self.texts.append(digits(person))
        self.fake.behave(phone=digits(person), ack="error", ack_error=error)
        assert self.sidecar.bridge.send("desk", text_to(person)).status_code in (502, 503)

    def _written(self, ours: str, person: str, kind: str, address: str) -> None:
        text, name = f"I answer {kind} by {address}", "Dana Example"
        self.texts += [text, name]
        before = len(self.receiver.of("desk", "inbound"))
        self.fake.inbound(ours, digits(person), kind=kind, text=text, address=address, name=name)
        until(lambda: len(self.receiver.of("desk", "inbound")) > before, "it is told")

    def _crash(self, person: str) -> None:
        body = text_to(person, text="Said while it died")
        self.texts.append(str(body["text"]))
        self.sidecar.stop()
        self.sidecar.start(FAILPOINT=f"bridge_handed_over:kill:{body['key']}")
        self.sidecar.bridge.until_able("desk")
        with ThreadPoolExecutor(1) as thread:
            call = thread.submit(self.sidecar.bridge.send, "desk", body)
            self.sidecar.killed()
            assert call.exception()
        self.sidecar.start(FAILPOINT="")
        self.sidecar.bridge.until_able("desk", "typed")

    def _keep_keys(self) -> None:
        self.keys += kept_keys(self._database_url, AUTH_KEY)


def _picture() -> dict[str, str]:
    content = base64.b64encode(Random(1).randbytes(5_000)).decode()
    return {"data": content, "mimetype": "image/png"}


@pytest.fixture
def tell(start_sidecar: Callable[..., Sidecar], fake: FakeWhatsApp, empty_database: str) -> Callable[..., Story]:
    def told(**settings: str) -> Story:
        receiver = Receiver()
        try:
            sidecar = start_sidecar(**receiver.settings, LOG_LEVEL="DEBUG", **settings)
            story = Story(sidecar, fake, receiver, empty_database)
            story.run()
        finally:
            receiver.close()
        return story

    return told


def test_nothing_of_it_is_in_any_output(tell: Callable[..., Story]) -> None:
    story = tell()
    assert "[WA_SEND]" in story.sidecar.output()
    assert story.leaks() == []


def test_it_would_be_noticed_if_libsignal_could_print(tell: Callable[..., Story]) -> None:
    story = tell(NODE_OPTIONS=f"--import={LOUD.as_uri()}")
    assert "privKey" in story.leaks()


def test_a_key_is_noticed_in_every_form_and_however_it_is_broken_into_lines() -> None:
    key = Random(2).randbytes(32)
    printed = [
        key.hex(),
        key.hex().upper(),
        base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode(),
        f"<Buffer {key.hex(' ')}>",
        json.dumps({"type": "Buffer", "data": list(key)}),
        json.dumps(list(key), separators=(",", ":")),
        "[\n" + "".join(f"  {byte},\n" for byte in key) + "]",
    ]
    for output in printed:
        assert leaks(f"before {output} after", keys=[key], texts=[]), output
    assert leaks("nothing of it", keys=[key], texts=["a text"]) == []
    assert leaks("here is a text", keys=[key], texts=["a text"]) == ["a text"]
    assert len(set(forms_of(key))) == len(forms_of(key))
