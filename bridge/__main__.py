"""``python -m bridge``: the bridge that BRIDGE names. The sidecar takes this process's place."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from bridge import node
from bridge.simulator.__main__ import main as simulate
from settings import Settings, SettingsError, as_environment, load


def serve_whatsapp() -> NoReturn:
    """Turn into the Baileys sidecar. It reads its environment itself, so what stands in ``.env`` is handed on there."""
    settings = load("database_url", "bridge_secret", "baileys_auth_key")
    node.become(["src/main.js"], os.environ | as_environment(settings))


def main() -> None:
    try:
        settings: Settings = load()
        if settings.bridge == "simulator":
            simulate()
        else:
            serve_whatsapp()
    except SettingsError as error:
        sys.stderr.write(f"fanfare: {error}\n")
        raise SystemExit(2) from None
    except node.NodeError as error:
        sys.exit(f"fanfare: {error}")


if __name__ == "__main__":
    main()
