"""What must never be written anywhere, and the forms in which a program would write it by mistake."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from settings import ROOT

WORDS = (
    "privKey",
    "privateKey",
    "pubKey",
    "rootKey",
    "chainKey",
    "SessionEntry",
    "<Buffer",
    "Uint8Array",
    "registrationId",
)
HEAD = 12  # bytes of a key that give it away: who prints a long one cuts it off


def leaks(output: str, *, keys: Iterable[bytes], texts: Iterable[str]) -> list[str]:
    """What of it stands in the output, cut short: these words, a key in any form, or a text."""
    one_line = re.sub(r"\s+", " ", output)
    forms = [form for key in keys for form in forms_of(key)]
    return [found[:40] for found in (*WORDS, *forms, *texts) if found in one_line]


def forms_of(key: bytes) -> list[str]:
    """How the beginning of a key looks in base64, in hexadecimal, in a dump of a buffer and as a list of numbers."""
    head = key[:HEAD]
    encoded = base64.b64encode(head).decode()
    return [
        encoded,
        encoded.replace("+", "-").replace("/", "_"),
        head.hex(),
        head.hex().upper(),
        head.hex(" "),
        ", ".join(map(str, head)),
        ",".join(map(str, head)),
    ]


def kept_keys(database_url: str, auth_key: str) -> list[bytes]:
    """The key material of all sessions that a sidecar keeps in this database."""
    script = Path(__file__).with_name("kept_keys.mjs")
    told = subprocess.run(
        [sys.executable, "-m", "bridge.node", "run", str(script)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "BAILEYS_AUTH_KEY": auth_key},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return [base64.b64decode(key) for key in json.loads(told)]
