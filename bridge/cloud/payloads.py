"""A message as Meta's API takes it. What Meta does not take, for instance too long a text, Meta judges."""

from __future__ import annotations

from typing import Any

from bridge.protocol import Content, Media, Outbound, Template, Text


def message(outbound: Outbound) -> dict[str, Any]:
    """The body of a send. Files stand in it by Meta's id, so each must have been uploaded."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": recipient(outbound),
        "biz_opaque_callback_data": outbound.key,  # every webhook about this attempt repeats it
        **_content(outbound.content),
    }


def recipient(outbound: Outbound) -> str:
    """The digits of the person's number."""
    return outbound.to.partition("@")[0]


def _content(content: Content) -> dict[str, Any]:
    match content:
        case Text(body):
            return {"type": "text", "text": {"body": body}}
        case Media():
            caption = {"caption": content.caption} if content.caption else {}
            return {"type": content.kind, content.kind: {**_file(content), **caption}}
        case Template():
            template = {
                "name": content.name,
                "language": {"code": content.language},
                "components": [*_header(content.header), *content.components],
            }
            return {"type": "template", "template": template}


def _header(header: Media | None) -> list[dict[str, Any]]:
    if header is None:
        return []
    return [{"type": "header", "parameters": [{"type": header.kind, header.kind: _file(header)}]}]


def _file(media: Media) -> dict[str, Any]:
    filename = {"filename": media.file.filename} if media.kind == "document" else {}
    return {"id": media.file.uploaded, **filename}
