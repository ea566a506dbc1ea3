"""Meta's posts to our webhook, as good ones are and as others make them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import graph_payloads
import requests
from fleet import Fleet

APP_SECRET = "the secret of the app"
VERIFY_TOKEN = "the word of ours"
SETTINGS = {"cloud_app_secret": APP_SECRET, "cloud_verify_token": VERIFY_TOKEN}
PATH = "/webhooks/cloud"
NUMBER, BUSINESS = "106540352242922", "102290129340398"
PHONE = "972501234567"

_numbers = count(1)


def status(**more: Any) -> dict[str, Any]:
    """A status that no other is like."""
    number = next(_numbers)
    return {
        "id": f"wamid.{number}",
        "status": "delivered",
        "timestamp": "1790000000",
        "recipient_id": PHONE,
        "biz_opaque_callback_data": f"{number}.1",
        **more,
    }


def body(statuses: Iterable[dict[str, Any]]) -> bytes:
    """What Meta posts of them."""
    metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": list(statuses)}
    return json.dumps(graph_payloads.post([(BUSINESS, graph_payloads.change("messages", value))])).encode()


def signature(raw: bytes) -> str:
    return graph_payloads.sign(raw, APP_SECRET)


def post(fleet: Fleet, raw: bytes, signed: str | None = "good", **headers: str) -> requests.Response:
    """Post these bytes, with a good signature, another or none."""
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if signed is not None:
        given["X-Hub-Signature-256"] = signature(raw) if signed == "good" else signed
    return requests.post(fleet.api_url + PATH, data=raw, headers=given, timeout=60)


def send(fleet: Fleet, headers: Mapping[str, str], raw: bytes, *, path: str = PATH) -> int:
    """Send a request as no client library would, and nothing after it; the status of the answer, 0 when there was none."""
    host, port = fleet.api_url.removeprefix("http://").split(":")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        try:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode("latin-1") + raw)
            connection.shutdown(socket.SHUT_WR)
        except OSError:  # it has answered, and reads no more
            pass
        try:
            answer = connection.recv(65536)
        except OSError:
            return 0
    return int(answer.split(b" ", 2)[1]) if answer else 0


def stored(fleet: Fleet) -> int:
    return int(fleet.one("SELECT count(*) FROM events"))
