"""Figures that stand in a page among words: each part lies between its own two markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks import ROOT

README = ROOT / "README.md"
RELIABILITY = ROOT / "docs" / "reliability.md"


def get(page: Path, part: str) -> list[str]:
    """The lines of a part. Raises ValueError when the page does not have it."""
    _, lines, _ = _split(page, part)
    return lines


def put(page: Path, part: str, lines: Sequence[str]) -> None:
    """Write a part anew. Raises ValueError when the page does not have it."""
    before, _, after = _split(page, part)
    page.write_text("\n".join([*before, *lines, *after]) + "\n", encoding="utf-8")


def _split(page: Path, part: str) -> tuple[list[str], list[str], list[str]]:
    lines = page.read_text(encoding="utf-8").splitlines()
    first, last = lines.index(f"<!-- {part} -->") + 1, lines.index(f"<!-- end of {part} -->")
    return lines[:first], lines[first:last], lines[last:]
