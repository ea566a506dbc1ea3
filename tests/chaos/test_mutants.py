"""The table of mutants is in line with the code: whoever changes a guard changes its mutant too.

Whether each mutant dies is a matter of minutes: ``python -m tests.chaos.mutants``.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from settings import ROOT
from tests.chaos.mutants import MUTANTS
from tests.chaos.mutating import Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_applies(mutant: Mutant) -> None:
    assert mutant.applied(ROOT) != (ROOT / mutant.file).read_text()


def test_names_and_changes_are_there_once() -> None:
    repeated = Counter(mutant.name for mutant in MUTANTS) - Counter({mutant.name for mutant in MUTANTS})
    assert not repeated
    assert len({(mutant.file, mutant.before, mutant.after) for mutant in MUTANTS}) == len(MUTANTS)


def test_each_names_a_test_that_exists() -> None:
    tests = sorted({mutant.noticed_by for mutant in MUTANTS})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *tests]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
