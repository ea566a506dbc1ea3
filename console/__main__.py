"""``python -m console``: check the settings, then become Streamlit."""

from __future__ import annotations

import os
import sys

import settings as environment
from db import ready
from settings import ROOT


def main() -> int:
    try:
        settings = environment.load("database_url", "console_password")
        ready.check(environment.given(settings, "database_url"), name="console")
    except (environment.SettingsError, ready.NotReadyError) as error:
        print(f"fanfare: {error}", file=sys.stderr)
        return 2
    options = {
        "server.address": settings.host,
        "server.port": settings.port or settings.console_port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "console" / "app.py"), *arguments]
    # Streamlit puts the script's own folder on the path; our packages lie one above it.
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    sys.exit(main())
