"""Every guard taken away in turn, and the proof that a test notices: ``python -m tests.chaos.mutants [NAME...]``.

Each mutant lives in a copy of the tree of its own, where its one test is run: it passes with the guard, which is tried
first, and must fail without. A mutant is dead only when pytest has run the test and it has failed (exit code 1, and a line
FAILED, which a fixture or an import that breaks does not get) by an assertion or by the database error that the mutant
names: code that cannot be read, imported or understood by Postgres proves nothing, and counts as a survivor.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from settings import ROOT
from tests.chaos import (
    mutants_of_begin,
    mutants_of_bridge,
    mutants_of_decisions,
    mutants_of_record,
    mutants_of_recovery,
    mutants_of_rules,
    mutants_of_schema,
)
from tests.chaos.mutating import Mutant

MUTANTS: Sequence[Mutant] = (
    *mutants_of_begin.MUTANTS,
    *mutants_of_record.MUTANTS,
    *mutants_of_recovery.MUTANTS,
    *mutants_of_bridge.MUTANTS,
    *mutants_of_decisions.MUTANTS,
    *mutants_of_schema.MUTANTS,
    *mutants_of_rules.MUTANTS,
)
AT_ONCE = 2
LIMIT_S = 300  # for one test
ASSERTIONS = ("assert", "AssertionError", "Failed: DID NOT RAISE")


def main(names: Sequence[str]) -> int:
    """Print a table; 0 when every mutant (or each of these) is dead, else 1."""
    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        _say(f"There is no mutant called {', '.join(sorted(unknown))}.")
        return 1
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with TemporaryDirectory(prefix="mutants-") as folder:
        said = _untouched(Path(folder) / "untouched", {mutant.noticed_by for mutant in chosen})
        if said:
            _say(f"These fail with every guard in place, so they prove nothing:\n{said}")
            return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            fates = pool.map(lambda mutant: _fate(Path(folder) / mutant.name, mutant), chosen)
            survivors = sum(_printed(mutant, fate) for mutant, fate in zip(chosen, fates, strict=True))
    _say(f"{len(chosen)} mutants, {survivors} survive")
    return 1 if survivors else 0


def _printed(mutant: Mutant, fate: str) -> bool:
    """Print one row; whether the mutant survived."""
    _say(f"{fate[:60]:<60}  {mutant.name:<36}  {mutant.noticed_by}")
    return not fate.startswith("dead")


def _untouched(folder: Path, tests: set[str]) -> str:
    """Run the tests on the code as it is; what pytest says when they do not pass, else nothing."""
    _copy(folder)
    code, said = _pytest(folder, sorted(tests), LIMIT_S * 4)
    shutil.rmtree(folder)
    return said if code else ""


def _fate(folder: Path, mutant: Mutant) -> str:
    """``dead: ...`` with how the test failed, or what else became of the mutant."""
    _copy(folder)
    try:
        (folder / mutant.file).write_text(mutant.applied(folder))
    except (SyntaxError, ValueError) as error:
        return f"DOES NOT APPLY: {error}"
    code, said = _pytest(folder, [mutant.noticed_by], LIMIT_S)
    failed = re.search(r"^FAILED .*? - (.*)$", said, re.MULTILINE)
    shutil.rmtree(folder)
    if code == 0:
        return "SURVIVES"
    if code != 1 or failed is None:
        return f"COULD NOT BE TRIED: {said[-300:]}"
    words = failed[1]
    expected = mutant.error in words if mutant.error else words.startswith(ASSERTIONS)
    return f"dead: {words}" if expected else f"FAILS OTHERWISE: {words}"


def _copy(folder: Path) -> None:
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "docs", "*.pyc"))


def _pytest(folder: Path, tests: Sequence[str], limit_s: float) -> tuple[int, str]:
    """pytest's exit code for these tests of the tree in ``folder``, and what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-rf", "--tb=no", "-p", "no:cacheprovider"]
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "1000", "TMPDIR": str(folder.parent)}
    with subprocess.Popen(
        [*command, *tests], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        try:
            said, _ = run.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            run.terminate()
            said, _ = run.communicate()
            return -1, said
    return run.returncode, said


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
