"""Where CLOUD_TOKEN_KEY is not set there is no Cloud API, and whoever asks is told so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.cloud.client import CloudBridge
from bridge.directory import CLOUD, Directory
from bridge.protocol import Bridge, BridgeAwayError, NotSent, Outbound, Roster, Text


@pytest.fixture
def absent() -> Iterator[Directory]:
    directory = Directory("http://127.0.0.1:1", "a secret", send_limit_s=5, http_timeout_s=7)
    yield directory
    directory.close()


def test_its_client_is_found_where_there_is_one(cloud: CloudBridge) -> None:
    directory = Directory("http://127.0.0.1:1", "a secret", send_limit_s=5, http_timeout_s=7, cloud=cloud)
    assert directory.at(CLOUD) is cloud
    assert directory.look([CLOUD]) == {CLOUD: Roster("cloud", [])}
    directory.close()


def test_nothing_is_sent_and_the_reason_names_the_setting(absent: Directory) -> None:
    result = absent.at(CLOUD).send(Outbound("1055", "1.1", "972501234567@s.whatsapp.net", Text("Hello")))
    assert isinstance(result, NotSent)
    assert (result.code, result.proof, result.retryable) == ("bridge_unreachable", "refused", True)
    assert "CLOUD_TOKEN_KEY" in result.reason


def test_it_is_away_for_every_question(absent: Directory) -> None:
    bridge: Bridge = absent.at(CLOUD)
    for ask in (
        lambda: bridge.close("1055", "1.1"),
        lambda: bridge.sessions(1),
        lambda: bridge.status("1055"),
        lambda: bridge.qr("1055"),
        lambda: bridge.pairing_code("1055", "+972501234567"),
        lambda: bridge.command("1055", "start"),
    ):
        with pytest.raises(BridgeAwayError, match="CLOUD_TOKEN_KEY"):
            ask()
    looked = absent.look([CLOUD])[CLOUD]
    assert isinstance(looked, BridgeAwayError)
