"""The secrets this machine makes for itself, once."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from local.errors import LocalError

BYTES = 32
BYTES_TYPED = 9  # the console's password is typed by a person: 12 characters

NAMES = {
    "postgres_password": BYTES,
    "redis_password": BYTES,
    "bridge_secret": BYTES,
    "events_secret": BYTES,
    "api_token": BYTES,
    "console_password": BYTES_TYPED,
}


def kept_secrets(file: Path) -> dict[str, str]:
    """Every secret of NAMES, from ``file``; those it does not have yet are made and written down (mode 0600).

    Raises LocalError when the file cannot be read as what we wrote.
    """
    kept = _read(file)
    missing = {name: secrets.token_urlsafe(size) for name, size in NAMES.items() if not kept.get(name)}
    if missing:
        kept |= missing
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(json.dumps(kept, indent=2) + "\n")
            out.flush()
            os.fsync(out.fileno())  # lost secrets would lock us out of our own database
        new.replace(file)
    file.chmod(0o600)
    return kept


def _read(file: Path) -> dict[str, str]:
    try:
        kept: dict[str, str] = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise LocalError(f"{file} is damaged: restore it, or remove {file.parent} to start anew without data") from None
    return kept
