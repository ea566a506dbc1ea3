"""Files that go out with messages: kept once, found again, and uploaded once for each number."""

from __future__ import annotations

import pytest
from cloud_numbers import add_numbers
from people import workspace
from racing import during
from sqlalchemy import Connection, Engine, text

from bridge.protocol import File
from db.engine import run
from domain.media import MB
from services import media
from services.refused import Refused

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def test_a_file_is_kept_once_for_each_content_and_name(db: Connection) -> None:
    here = workspace(db)
    first = media.keep(db, here, "a.png", "image/png", PNG)
    assert media.keep(db, here, "a.png", "application/pdf", PNG) == first
    assert media.keep(db, here, "b.png", "image/png", PNG) != first
    assert media.keep(db, here, "a.png", "image/png", PNG + b"more") != first
    kept = media.one(db, first)
    assert kept == media.Kept(first, "image", "image/png", "a.png", PNG)
    assert media.described(db, here, first) == media.Described(first, "image", "image/png", "a.png", len(PNG))
    assert media.one(db, first + 100) is None
    assert "PNG" not in repr(kept)


def test_a_workspace_does_not_see_the_files_of_another(db: Connection) -> None:
    kept = media.keep(db, workspace(db), "a.png", "image/png", PNG)
    other = db.execute(
        text("INSERT INTO workspaces (name, default_country, time_zone) VALUES ('B', 'IL', 'UTC') RETURNING id")
    ).scalar_one()
    assert media.described(db, other, kept) is None
    assert media.keep(db, other, "a.png", "image/png", PNG) != kept


def test_two_at_once_keep_one(engine: Engine) -> None:
    here = run(engine, workspace)
    kept: list[int] = []

    def keep(db: Connection) -> int:
        return media.keep(db, here, "a.png", "image/png", PNG)

    second, waited = during(engine, lambda db: kept.append(keep(db)), keep)
    assert waited
    assert [second] == kept


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "EMPTY_FILE", "The file is empty."),
        (b"MZ\x90", "UNSUPPORTED_MEDIA", "PDF"),
        (PNG.ljust(5 * MB + 1, b"\0"), "TOO_LARGE", "at most 5 MB"),
    ],
)
def test_what_is_refused(db: Connection, content: bytes, code: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        media.keep(db, workspace(db), "a.png", "image/png", content)
    assert refused.value.code == code
    assert refused.value.details["field"] == "file"
    assert db.execute(text("SELECT count(*) FROM media")).scalar_one() == 0


def test_an_upload_is_used_again_for_29_days_by_its_own_number(db: Connection) -> None:
    one, other = add_numbers(db, 2)
    kept = media.keep(db, workspace(db), "a.png", "image/png", PNG)
    assert media.uploaded(db, kept, one) is None
    media.uploaded_as(db, kept, one, "meta-1")
    first = File("image/png", "a.png", uploaded="meta-1")
    assert (media.uploaded(db, kept, one), media.uploaded(db, kept, other)) == (first, None)
    age(db, "28 days 23 hours")
    assert media.uploaded(db, kept, one) == first
    age(db, "29 days 1 minute")
    assert media.uploaded(db, kept, one) is None
    media.uploaded_as(db, kept, one, "meta-2")
    assert media.uploaded(db, kept, one) == File("image/png", "a.png", uploaded="meta-2")


def age(db: Connection, by: str) -> None:
    db.execute(text("UPDATE media_uploads SET uploaded_at = clock_timestamp() - CAST(:by AS interval)"), {"by": by})
