"""The system's Chromium, for browser tests and screenshots; Playwright's own cannot be downloaded everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess

from local.errors import LocalError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = "apt-get update && apt-get install -y chromium"


def find() -> str:
    """Its path. When it is missing, root has the system's package manager install it; raises LocalError, with the one
    command to run, for everybody else."""
    if found := _on_path():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["sh", "-c", INSTALL], check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if found := _on_path():
            return found
    raise LocalError(f"there is no Chromium on this machine: install it with `sudo sh -c '{INSTALL}'`")


def arguments() -> list[str]:
    """How it is started: it asks nobody but the page, and root may run it."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    return [*quiet, "--no-sandbox"] if os.geteuid() == 0 else quiet


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
