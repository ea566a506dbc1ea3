"""``make words``: what the console says, gathered from the code, and the catalogues of other languages brought in line.

A text that is new is added without a translation, one that is gone is taken out. tests/console/test_console_words.py
holds the catalogues to it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from domain.failures import FAILURES
from settings import ROOT

CONSOLE = ROOT / "console"
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
# The functions of console/words.py, with the places of their texts
KEYWORDS = {"_": None, "marked": None, "_n": (1, 2)}


def gathered() -> Catalog:
    """Everything that the console can say, in English."""
    catalog = Catalog()
    found = extract_from_dir(str(CONSOLE), method_map=[("**.py", "python")], keywords=KEYWORDS)
    for _file, _line, message, _comments, _context in found:
        catalog.add(message)
    for failure in FAILURES.values():
        catalog.add(failure.reason)
        catalog.add(failure.advice)
    return catalog


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
