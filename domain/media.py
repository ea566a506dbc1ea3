"""Which files WhatsApp takes, and what a file is: by its own first bytes, never by its name alone.

Source of kinds and sizes: Meta's list of supported media types of the Cloud API. Meta takes documents of up to 100 MB; ours
are kept in the database and held in memory when they go out, so they end at 16 MB as all else does.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final, Literal

from domain.text import made_storable

Kind = Literal["image", "video", "audio", "document"]

MB: Final = 1024 * 1024
LIMITS: Final[Mapping[Kind, int]] = MappingProxyType(
    {"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "document": 16 * MB}  # bytes
)
LARGEST: Final = max(LIMITS.values())
LONGEST_NAME: Final = 240  # characters, as WhatsApp shows it of a document

_OPEN_XML: Final = "application/vnd.openxmlformats-officedocument"
_TYPES: Final[Mapping[str, tuple[Kind, str]]] = MappingProxyType(
    {
        "image/jpeg": ("image", ".jpg"),
        "image/png": ("image", ".png"),
        "video/mp4": ("video", ".mp4"),
        "video/3gpp": ("video", ".3gp"),
        "audio/aac": ("audio", ".aac"),
        "audio/amr": ("audio", ".amr"),
        "audio/mpeg": ("audio", ".mp3"),
        "audio/mp4": ("audio", ".m4a"),
        "audio/ogg": ("audio", ".ogg"),
        "application/pdf": ("document", ".pdf"),
        "text/plain": ("document", ".txt"),
        "application/msword": ("document", ".doc"),
        "application/vnd.ms-excel": ("document", ".xls"),
        "application/vnd.ms-powerpoint": ("document", ".ppt"),
        f"{_OPEN_XML}.wordprocessingml.document": ("document", ".docx"),
        f"{_OPEN_XML}.spreadsheetml.sheet": ("document", ".xlsx"),
        f"{_OPEN_XML}.presentationml.presentation": ("document", ".pptx"),
    }
)
_BY_ENDING: Final = {ending: mimetype for mimetype, (_, ending) in _TYPES.items()} | {".jpeg": "image/jpeg"}
TAKEN: Final = "JPG, PNG, MP4, 3GP, AAC, AMR, MP3, M4A, OGG, PDF, TXT, DOC, DOCX, XLS, XLSX, PPT, PPTX"

_STARTS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    *((bytes([0xFF, second]), "audio/aac") for second in (0xF0, 0xF1, 0xF8, 0xF9)),
    *((bytes([0xFF, second]), "audio/mpeg") for second in (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)),
)
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_OFFICE_TYPES: Final = ("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint")
# Brands of an iPhone's photos and of QuickTime, which begin like an MP4
_NO_FILMS: Final = (b"hei", b"hev", b"mif", b"msf", b"avif", b"qt")
_ZIP: Final = b"PK\x03\x04"
_OPEN_XML_FOLDERS: Final = {"word/": ".docx", "xl/": ".xlsx", "ppt/": ".pptx"}
# Controls, and marks that turn the direction of text, by which an ending can be hidden
_NOT_IN_A_NAME: Final = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that WhatsApp takes: as what, and under which name."""

    kind: Kind
    mimetype: str
    filename: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A file that WhatsApp does not take, and why; ``limit`` in bytes, where it is too large."""

    reason: Literal["empty", "unsupported", "too_large"]
    limit: int = 0


def judged(content: bytes, filename: str, declared: str) -> Taken | NotTaken:
    """What a file is. ``filename`` may be anything, also a path; its ending and the ``declared`` type count only where the
    bytes leave it open."""
    if not content:
        return NotTaken("empty")
    name = PurePosixPath(_NOT_IN_A_NAME.sub("", made_storable(filename)).replace("\\", "/")).name.strip()
    mimetype = _sniffed(content, (_BY_ENDING.get(PurePosixPath(name).suffix.lower()), declared))
    if mimetype is None:
        return NotTaken("unsupported")
    kind, ending = _TYPES[mimetype]
    if len(content) > LIMITS[kind]:
        return NotTaken("too_large", LIMITS[kind])
    return Taken(kind, mimetype, _named(name, mimetype, ending))


def kind_of(mimetype: str) -> Kind:
    """How a file of this type goes out. Raises KeyError for a type that WhatsApp does not take."""
    return _TYPES[mimetype][0]


def _named(name: str, mimetype: str, ending: str) -> str:
    """The name with an ending that is true, without which a phone does not open a document."""
    given = PurePosixPath(name).suffix
    if _BY_ENDING.get(given.lower()) == mimetype:
        name, ending = name.removesuffix(given), given
    return (name or "file")[: LONGEST_NAME - len(ending)] + ending


def _sniffed(content: bytes, claims: tuple[str | None, str]) -> str | None:
    """The type by the first bytes; ``claims`` are the types that its name and its sender give."""
    for start, mimetype in _STARTS:
        if content.startswith(start):
            return mimetype
    if content[4:8] == b"ftyp":
        return _of_mp4(content[8:12], claims)
    if content.startswith(_OLD_OFFICE):
        return next((claim for claim in claims if claim in _OLD_OFFICE_TYPES), None)
    if content.startswith(_ZIP):
        return _of_zip(content)
    return "text/plain" if "text/plain" in claims and _is_text(content) else None


def _of_mp4(brand: bytes, claims: tuple[str | None, str]) -> str | None:
    if brand.startswith(b"3g"):
        return "video/3gpp"
    if brand.startswith(_NO_FILMS):
        return None
    return "audio/mp4" if brand in (b"M4A ", b"M4B ") or "audio/mp4" in claims else "video/mp4"


def _of_zip(content: bytes) -> str | None:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    found = (ending for folder, ending in _OPEN_XML_FOLDERS.items() if any(name.startswith(folder) for name in names))
    return _BY_ENDING.get(next(found, ""))


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
