"""The sidecar's own tests, which Node runs: each of its files is a test here, over the Postgres of all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.postgres import EmbeddedPostgres
from settings import ROOT

TESTS = ROOT / "bridge" / "baileys" / "test"
LIMIT_S = 180


@pytest.mark.parametrize("file", sorted(TESTS.rglob("*.test.js")), ids=lambda file: str(file.relative_to(TESTS)))
def test_node_says_that_it_passes(file: Path, postgres: EmbeddedPostgres) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "bridge.node", "run", "--test", str(file)],
        cwd=ROOT,
        env={**os.environ, "TEST_DATABASE_URL": postgres.url},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_there_are_tests_to_run() -> None:
    assert list(TESTS.rglob("*.test.js"))
