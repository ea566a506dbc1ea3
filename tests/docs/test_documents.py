"""What the documents say can be done, can be done: commands, links, addresses, statements."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from console.views.device_parts.webhook import FIELDS
from settings import ROOT

SIDECAR = ROOT / "bridge" / "baileys"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\[[^\]]+\]\((?P<to>[^)]+)\)")


def fenced(document: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a document: (language, body)."""
    return [(match["language"], match["body"]) for match in _FENCE.finditer(document.read_text())]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))


def anchor(heading: str) -> str:
    """The name under which a heading can be linked to."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_command_is_a_target(document: Path) -> None:
    commands = [
        line.split()[1] for _, body in fenced(document) for line in body.splitlines() if line.startswith("make ")
    ]
    commands += re.findall(r"`make ([a-z-]+)`", document.read_text())
    assert set(commands) <= targets()


def test_every_target_is_listed_by_help() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony is not None
    assert set(phony[1].split()) == targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(document: Path) -> None:
    for match in _LINK.finditer(document.read_text()):
        to, _, fragment = match["to"].partition("#")
        if "://" in to:
            continue
        place = (document.parent / to).resolve() if to else document
        assert place.exists(), f"{match['to']} leads nowhere"
        assert place.is_relative_to(ROOT), f"{match['to']} leads out of the project"
        if fragment:
            headings = re.findall(r"^#+ (.*)$", place.read_text(), re.M)
            assert fragment in map(anchor, headings), f"there is no heading {match['to']}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sql_block_can_be_run(document: Path, engine: Engine) -> None:
    with engine.begin() as db:
        for migration in sorted((SIDECAR / "src" / "migrations").glob("*.sql")):
            db.exec_driver_sql(migration.read_text())
        for language, body in fenced(document):
            if language == "sql":
                db.execute(text(body)).all()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|js|sql|csv|md|sh))`", document.read_text())
    assert [name for name in named if not ((ROOT / name).exists() or (SIDECAR / name).exists())] == []


def test_every_test_that_is_named_exists() -> None:
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = {name for document in DOCUMENTS for name in re.findall(r"`(test_\w+)`", document.read_text())}
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []


def test_the_webhook_fields_are_those_that_the_console_names() -> None:
    (row,) = re.findall(r"^\| there, the fields (.*?) \|", (ROOT / "docs" / "cloud.md").read_text(), re.M)
    assert tuple(re.findall(r"`(\w+)`", row)) == FIELDS


def test_every_decision_has_its_number_and_its_reason() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, decision in enumerate(decisions, start=1):
        words = decision.read_text()
        assert decision.name.startswith(f"{number:04}-")
        assert words.startswith(f"# {number}. ")
        assert "**Decision.**" in words
        assert len(words.splitlines()) <= 40


def test_no_document_is_longer_than_a_person_reads() -> None:
    assert [document.name for document in DOCUMENTS if len(document.read_text().splitlines()) > 200] == []
