from __future__ import annotations

import pytest

import settings


def test_a_time_zone_that_does_not_exist_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_ZONE", "Asia/Atlantis")
    with pytest.raises(settings.SettingsError, match="there is no time zone 'Asia/Atlantis': write it like") as refused:
        settings.load()
    assert "\n" not in str(refused.value)


def test_an_empty_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_SECRET", " ")
    with pytest.raises(settings.SettingsError, match="BRIDGE_SECRET is empty"):
        settings.load()


def test_what_is_needed_and_missing_is_named_with_its_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(settings.SettingsError, match=r"DATABASE_URL is not set: .*postgresql://"):
        settings.load("database_url")
