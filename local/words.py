"""``make words``: what the console says and why something is refused, gathered from the code, and the catalogues of other
languages brought in line.

A text that is new is added without a translation, one that is gone is taken out. tests/console/test_console_words.py
holds the catalogues to it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from domain.failures import FAILURES
from settings import ROOT

CONSOLE = ROOT / "console"
SPEAKING = (CONSOLE, ROOT / "services", ROOT / "domain")
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
# Where each takes its texts: the functions of console/words.py one, or one and many; what is refused, after its code
TEXTS = {
    "_": slice(0, 1),
    "marked": slice(0, 1),
    "_n": slice(0, 2),
    "Refused": slice(1, 2),
    "CsvRefused": slice(1, 2),
    "TemplateError": slice(0, 1),
}


def gathered() -> Catalog:
    """Everything that the console can say, in English."""
    catalog = Catalog()
    for folder in SPEAKING:
        for path in sorted(folder.rglob("*.py")):
            for texts in asked_for(path.read_text(encoding="utf-8")):
                catalog.add(texts[0] if len(texts) == 1 else texts)
    for failure in FAILURES.values():
        catalog.add(failure.reason)
        catalog.add(failure.advice)
    return catalog


def asked_for(code: str) -> Iterator[tuple[str, ...]]:
    """The texts that a module asks for, as (text,) or (one, many). Read from the syntax tree, which is the only place where
    every Python shows what stands inside an f-string."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TEXTS:
            given = node.args[TEXTS[node.func.id]]
            texts = tuple(arg.value for arg in given if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
            if texts:
                yield texts


def catalogues() -> dict[str, Path]:
    """The catalogues by language."""
    return {path.stem: path for path in sorted((CONSOLE / "i18n").glob("*.po"))}


def main() -> int:
    wanted = gathered()
    for language, path in catalogues().items():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        catalogue.update(wanted, no_fuzzy_matching=True, update_header_comment=False)
        catalogue.obsolete.clear()
        missing = sum(1 for message in catalogue if message.id and not _translated(message))
        with path.open("wb") as file:
            file.write(HEADER.format(language=language).encode())
            write_po(file, catalogue, sort_output=True, no_location=True, omit_header=True, width=120)
        print(f"{language}: {len(catalogue)} texts, {missing} without a translation")
    return 0


def _translated(message: Message) -> bool:
    forms = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(bool(form) for form in forms)


if __name__ == "__main__":
    sys.exit(main())
