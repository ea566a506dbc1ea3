"""What a mutant is: the code with one guard taken away, and the test that must notice it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    """In ``file``, ``before`` becomes ``after``, and then the test ``noticed_by`` (its node id) must fail: by an assertion,
    or by a database error whose words are ``error``.

    ``guards`` says what the guard is for. Where another guard stands behind it, it says what this one is for all the same.
    """

    name: str
    guards: str
    file: str
    before: str
    after: str
    noticed_by: str
    error: str | None = None

    def applied(self, root: Path) -> str:
        """The file below ``root`` without the guard. Raises ValueError when the text is not there exactly once, and
        SyntaxError when what is left is no Python."""
        text = (root / self.file).read_text()
        if text.count(self.before) != 1:
            raise ValueError(f"{self.name}: stands {text.count(self.before)} times in {self.file}: {self.before}")
        mutated = text.replace(self.before, self.after)
        if self.file.endswith(".py"):
            ast.parse(mutated)
        return mutated
