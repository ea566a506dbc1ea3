"""What a file is and whether WhatsApp takes it: by its bytes, whatever it is called."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.media import LIMITS, LONGEST_NAME, MB, NotTaken, Taken, judged

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
PDF = b"%PDF-1.7\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 20
OPEN_XML = "application/vnd.openxmlformats-officedocument"


def mp4(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + b"\0" * 12


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "kind", "mimetype"),
    [
        (JPEG, "a.jpeg", "image", "image/jpeg"),
        (PNG, "a.png", "image", "image/png"),
        (mp4(b"isom"), "a.mp4", "video", "video/mp4"),
        (mp4(b"3gp4"), "a.3gp", "video", "video/3gpp"),
        (mp4(b"M4A "), "a.m4a", "audio", "audio/mp4"),
        (mp4(b"isom"), "a.m4a", "audio", "audio/mp4"),
        (b"ID3\x04", "a.mp3", "audio", "audio/mpeg"),
        (b"\xff\xfb\x90", "a.mp3", "audio", "audio/mpeg"),
        (b"\xff\xf1\x50", "a.aac", "audio", "audio/aac"),
        (b"#!AMR\n", "a.amr", "audio", "audio/amr"),
        (b"OggS\0", "a.ogg", "audio", "audio/ogg"),
        (PDF, "a.pdf", "document", "application/pdf"),
        ("שלום".encode(), "a.txt", "document", "text/plain"),
        (OLE, "a.doc", "document", "application/msword"),
        (OLE, "a.XLS", "document", "application/vnd.ms-excel"),
        (OLE, "a.ppt", "document", "application/vnd.ms-powerpoint"),
        (zipped("[Content_Types].xml", "word/a"), "a.docx", "document", f"{OPEN_XML}.wordprocessingml.document"),
        (zipped("[Content_Types].xml", "xl/a"), "a.xlsx", "document", f"{OPEN_XML}.spreadsheetml.sheet"),
        (zipped("[Content_Types].xml", "ppt/a"), "a.pptx", "document", f"{OPEN_XML}.presentationml.presentation"),
    ],
)
def test_what_whatsapp_takes(content: bytes, name: str, kind: str, mimetype: str) -> None:
    assert judged(content, name, "application/octet-stream") == Taken(kind, mimetype, name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"MZ\x90\0", "photo.jpg"),
        (b"<html><script>", "photo.png"),
        (b"GIF89a", "a.gif"),
        (b"RIFF\0\0\0\0WEBP", "a.webp"),
        (mp4(b"heic"), "a.heic"),
        (mp4(b"qt  "), "a.mov"),
        (OLE, "a.msi"),
        (zipped("a.exe"), "a.docx"),
        (zipped("[Content_Types].xml", "other/a"), "a.docx"),
        (b"PK\x03\x04 and no archive", "a.docx"),
        (b"\xff\xfe\0\0", "a.txt"),
        (b"a\0b", "a.txt"),
        (b"just words", "a"),
    ],
)
def test_what_it_does_not(content: bytes, name: str) -> None:
    assert judged(content, name, "image/jpeg") == NotTaken("unsupported")


def test_the_declared_type_counts_only_where_the_bytes_leave_it_open() -> None:
    assert judged(OLE, "table", "application/vnd.ms-excel") == Taken(
        "document", "application/vnd.ms-excel", "table.xls"
    )
    assert judged(OLE, "a.doc", "application/vnd.ms-excel") == Taken("document", "application/msword", "a.doc")
    assert judged(b"words", "notes", "text/plain") == Taken("document", "text/plain", "notes.txt")
    assert judged(PNG, "a.jpg", "image/jpeg") == Taken("image", "image/png", "a.jpg.png")


@pytest.mark.parametrize(
    ("start", "kind"), [(JPEG, "image"), (mp4(b"isom"), "video"), (b"OggS", "audio"), (PDF, "document")]
)
def test_each_kind_has_its_limit(start: bytes, kind: str) -> None:
    limit = LIMITS[kind]  # type: ignore[index]
    assert isinstance(judged(start.ljust(limit, b"\0"), "a", ""), Taken)
    assert judged(start.ljust(limit + 1, b"\0"), "a", "") == NotTaken("too_large", limit)


def test_the_limits_are_metas_and_ours() -> None:
    assert LIMITS == {"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "document": 16 * MB}
    assert judged(b"", "a.png", "image/png") == NotTaken("empty")


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("REPORT.PDF", "REPORT.PDF"),
        ("report.v2", "report.v2.pdf"),
        ("", "file.pdf"),
        (".pdf", ".pdf.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\files\\חשבון.pdf", "חשבון.pdf"),
        ("line\r\nbreak.pdf", "linebreak.pdf"),
        ("evil\u202efdp.exe", "evilfdp.exe.pdf"),
        ("half\ud800.pdf", "half\ufffd.pdf"),
    ],
)
def test_a_name_is_a_name_and_its_ending_true(given_name: str, kept: str) -> None:
    assert judged(PDF, given_name, "") == Taken("document", "application/pdf", kept)


@given(st.binary(max_size=64), st.text(max_size=400), st.text(max_size=40))
def test_any_bytes_under_any_name_are_judged(content: bytes, name: str, declared: str) -> None:
    for whole in (content, PDF + content, b"PK\x03\x04" + content, b"\0\0\0\0ftyp" + content):
        found = judged(whole, name, declared)
        if isinstance(found, Taken):
            assert 0 < len(found.filename) <= LONGEST_NAME
            assert "/" not in found.filename
