"""The console over a real database, opened without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import streamlit as st
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
    yield opened
    st.cache_resource.clear()
    st.cache_data.clear()
