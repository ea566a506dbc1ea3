"""A page of the console as AppTest sees it: opened, passed the gate, read, pressed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from databases import admin
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from local.postgres import EmbeddedPostgres

APP = Path(__file__).parents[2] / "console" / "app.py"
PASSWORD = "a password for tests"
VIEWS = {"overview": "overview", "new": "new_campaign"}  # pages whose file is not called as they are


class Opened:
    """One browser session."""

    def __init__(self, app: AppTest) -> None:
        self.app = app

    def enter(self, password: str = PASSWORD, name: str = "") -> Opened:
        """Answer the gate."""
        names, passwords = self.app.text_input
        names.input(name)
        passwords.input(password)
        self.app.button[0].click().run()
        return self

    def run(self) -> Opened:
        """What happens when a fragment's time comes, or the person presses reload."""
        self.app.run()
        return self

    def press(self, label: str) -> Opened:
        """Press the one button with this label (or key)."""
        found = [button for button in self.app.button if label in (button.label, button.key)]
        assert len(found) == 1, f"{len(found)} buttons {label!r} among {[button.label for button in self.app.button]}"
        found[0].click().run()
        return self

    @property
    def buttons(self) -> list[str]:
        return [button.label for button in self.app.button]

    @property
    def figures(self) -> dict[str, str]:
        """The figures by their labels."""
        return {metric.label: metric.value for metric in self.app.metric}

    @property
    def words(self) -> str:
        """Everything that is written on the page in words."""
        app = self.app
        told = [*app.title, *app.header, *app.subheader, *app.error, *app.warning, *app.info, *app.success]
        values = [str(part.value) for part in [*told, *app.markdown, *app.caption, *app.toast]]
        return " | ".join([*values, *(bar.proto.text for bar in app.get("progress"))])

    def fine(self) -> Opened:
        """Nothing failed."""
        assert not self.app.exception, self.app.exception
        return self


def opened(page: str = "overview", *, entered: bool = True, **parameters: Any) -> Opened:
    """Open a page with these parameters in its address; past the gate unless ``entered`` is False."""
    app = AppTest.from_file(str(APP), default_timeout=20)
    for name, value in parameters.items():
        app.query_params[name] = str(value)
    session = Opened(app.run())
    if not entered:
        return session
    session.enter()
    if page != "overview":
        app.switch_page(f"views/{VIEWS.get(page, page)}.py")
        for name, value in parameters.items():
            app.query_params[name] = str(value)
        app.run()
    return session


@contextmanager
def away(postgres: EmbeddedPostgres, engine: Engine) -> Iterator[None]:
    """The database of this test lets nobody in inside."""
    name = str(engine.url.database)
    admin(postgres.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    admin(postgres.url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        admin(postgres.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
