"""Files that our client brings to Meta, and messages that use them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from graph import Graph
from graph_accounts import Numbers, client
from graph_world import Number

from bridge.cloud.client import CloudBridge
from bridge.protocol import Accepted, Content, File, Media, NotSent, Outbound, Template
from local.ports import any_free_port

TO = "972501234567"
PHOTO = File("image/png", "photo שלום.png", b"\x89PNG" + bytes(range(256)))
HEADER = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hello"}]


def send(cloud: CloudBridge, number: Number, content: Content) -> Any:
    return cloud.send(Outbound(number.id, "1.1", f"{TO}@s.whatsapp.net", content))


def test_a_file_reaches_meta_as_it_is(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    uploaded = cloud.upload(number.id, PHOTO)
    assert [(upload.id, upload.mimetype, upload.content) for upload in graph.uploads] == [
        (uploaded, "image/png", PHOTO.content)
    ]


def test_a_file_that_is_there_is_not_brought_again(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    uploaded = cloud.upload(number.id, PHOTO)
    assert isinstance(uploaded, str)
    graph.add_template(number.business_id, "offer", "en", HEADER)
    there = Media("image", replace(PHOTO, content=b"", uploaded=uploaded))
    for content in (there, there, Template("offer", "en", (), there)):
        assert isinstance(send(cloud, number, content), Accepted)
    assert len(graph.uploads) == 1


def test_a_file_that_is_not_there_is_brought_first(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    graph.add_template(number.business_id, "offer", "en", HEADER)
    assert isinstance(send(cloud, number, Template("offer", "en", (), Media("image", PHOTO))), Accepted)
    sent = graph.to(TO)[0].payload["template"]["components"][0]["parameters"][0]
    assert sent == {"type": "image", "image": {"id": graph.uploads[0].id}}


def test_the_file_of_another_number_is_refused(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    uploaded = cloud.upload(graph.add_number().id, PHOTO)
    assert isinstance(uploaded, str)
    result = send(cloud, number, Media("image", replace(PHOTO, uploaded=uploaded)))
    assert isinstance(result, NotSent)
    assert result.code == "message_refused"


def test_a_kind_of_file_that_meta_does_not_take(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    result = cloud.upload(number.id, File("application/x-strange", "strange.bin", b"?"))
    assert isinstance(result, NotSent)
    assert (result.code, result.retryable) == ("unsupported_media", False)


@pytest.mark.parametrize(
    ("trouble", "code", "retryable"),
    [
        ("refuse:190", "token_refused", True),
        ("refuse:131053", "unsupported_media", False),
        ("refuse:4", "throttled", True),
        ("refuse:131000", "whatsapp_failed", True),
        ("http:413", "too_large", False),
        ("http:503", "whatsapp_failed", True),
        ("cut", "whatsapp_failed", True),
        ("silence", "whatsapp_failed", True),
        ("garble", "whatsapp_failed", True),
    ],
)
def test_an_upload_that_fails_sends_nothing(
    graph: Graph, numbers: Numbers, number: Number, trouble: str, code: str, retryable: bool
) -> None:
    cloud = client(graph.url, numbers, send_limit_s=1)
    graph.trouble(number.id, trouble)
    for result in (cloud.upload(number.id, PHOTO), send(cloud, number, Media("image", PHOTO))):
        assert isinstance(result, NotSent)
        assert (result.code, result.retryable) == (code, retryable)
    assert graph.received == []


def test_an_upload_to_nobody(numbers: Numbers, number: Number) -> None:
    away = client(f"http://127.0.0.1:{any_free_port()}", numbers)
    result = away.upload(number.id, PHOTO)
    assert isinstance(result, NotSent)
    assert (result.code, result.proof) == ("bridge_unreachable", "refused")
    unknown = away.upload("4711", PHOTO)
    assert isinstance(unknown, NotSent)
    assert unknown.code == "no_session"
