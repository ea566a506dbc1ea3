"""The console over a real database, opened without a browser."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[1] / "cloud"))

from opening import PASSWORD, Opened, opened


@pytest.fixture
def console(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Opened]]:
    """Opens a page of the console in a browser session of its own: ``console("campaign", campaign=12, lang="he")``."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("CONSOLE_PASSWORD", PASSWORD)
    # Nothing listens there: the pages must say so, and not hang
    monkeypatch.setenv("BRIDGE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BRIDGE_SECRET", "the secret of the bridge")
    st.cache_resource.clear()
    st.cache_data.clear()

    def open_it(page: str = "overview", **parameters: Any) -> Opened:
        # AppTest reads the options of a choice between two runs of the script, where only the browser tells a language
        monkeypatch.setattr("console.words._of_browser", lambda: parameters.get("lang", "en"))
        return opened(page, **parameters)

    yield open_it
    st.cache_resource.clear()
    st.cache_data.clear()
