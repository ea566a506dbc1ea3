"""The secrets this machine makes for itself, once."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

from local.errors import LocalError
from settings import AUTH_KEY_BYTES


def _auth_key() -> str:
    return base64.b64encode(secrets.token_bytes(AUTH_KEY_BYTES)).decode()


_long = partial(secrets.token_urlsafe, 32)
_typed = partial(secrets.token_urlsafe, 9)  # 12 characters for a person to type

NAMES: dict[str, Callable[[], str]] = {
    "postgres_password": _long,
    "redis_password": _long,
    "bridge_secret": _long,
    "events_secret": _long,
    "api_token": _long,
    "console_password": _typed,
    "baileys_auth_key": _auth_key,
    "cloud_token_key": _auth_key,
    "cloud_verify_token": _long,
}


def kept_secrets(file: Path) -> dict[str, str]:
    """Every secret of NAMES, from ``file``; those it does not have yet are made and written down (mode 0600).

    Raises LocalError when the file cannot be read as what we wrote.
    """
    kept = _read(file)
    missing = {name: make() for name, make in NAMES.items() if not kept.get(name)}
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
