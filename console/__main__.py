"""``python -m console``: check the settings, then become Streamlit. Look and limits are in .streamlit/config.toml."""

from __future__ import annotations

import hashlib
import os
import sys

import settings as environment
from console import NEEDED
from db import ready
from settings import ROOT


def main() -> int:
    try:
        settings = environment.load(*NEEDED)
        ready.check(environment.given(settings, "database_url"), name="console")
    except (environment.SettingsError, ready.NotReadyError) as error:
        print(f"fanfare: {error}", file=sys.stderr)
        return 2
    address = [
        f"--server.address={settings.host}",
        f"--server.port={settings.port or settings.console_port}",
    ]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "console" / "serve.py"), *address]
    password = environment.given(settings, "console_password")
    our_own = {
        # Streamlit puts the script's own folder on the path; our packages lie one above it.
        "PYTHONPATH": str(ROOT),
        # Fixed, so that open pages survive a restart and every process of a fleet accepts them.
        "STREAMLIT_SERVER_COOKIE_SECRET": hashlib.sha256(b"fanfare streamlit " + password.encode()).hexdigest(),
    }
    os.execve(sys.executable, command, {**os.environ, **our_own})  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    sys.exit(main())
