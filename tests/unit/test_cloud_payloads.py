"""A message as Meta's API takes it."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.cloud.payloads import message
from bridge.protocol import Content, File, Media, Outbound, Template, Text

PHOTO = File("image/jpeg", "photo.jpg", uploaded="801")
PAPER = File("application/pdf", "Price list.pdf", uploaded="802")
VALUES = ({"type": "body", "parameters": [{"type": "text", "text": "Dana"}]},)

SHAPES: list[tuple[Content, dict[str, Any]]] = [
    (Text("Shalom"), {"type": "text", "text": {"body": "Shalom"}}),
    (Media("image", PHOTO), {"type": "image", "image": {"id": "801"}}),
    (Media("image", PHOTO, "Look"), {"type": "image", "image": {"id": "801", "caption": "Look"}}),
    (Media("video", PHOTO, "Look"), {"type": "video", "video": {"id": "801", "caption": "Look"}}),
    (
        Media("document", PAPER, "Look"),
        {"type": "document", "document": {"id": "802", "filename": "Price list.pdf", "caption": "Look"}},
    ),
    (
        Template("offer", "he", VALUES),
        {"type": "template", "template": {"name": "offer", "language": {"code": "he"}, "components": list(VALUES)}},
    ),
    (
        Template("offer", "en_US", VALUES, Media("document", PAPER)),
        {
            "type": "template",
            "template": {
                "name": "offer",
                "language": {"code": "en_US"},
                "components": [
                    {
                        "type": "header",
                        "parameters": [{"type": "document", "document": {"id": "802", "filename": "Price list.pdf"}}],
                    },
                    *VALUES,
                ],
            },
        },
    ),
    (
        Template("hello", "en"),
        {"type": "template", "template": {"name": "hello", "language": {"code": "en"}, "components": []}},
    ),
]


@pytest.mark.parametrize(("content", "shape"), SHAPES)
def test_each_kind_has_its_shape(content: Content, shape: dict[str, Any]) -> None:
    assert message(Outbound("1055", "7.2", "972501234567@s.whatsapp.net", content)) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "972501234567",
        "biz_opaque_callback_data": "7.2",
        **shape,
    }
