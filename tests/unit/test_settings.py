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


@pytest.mark.parametrize("name", ["DATA_DIR", "API_PORT", "DEFAULT_COUNTRY", "REDIS_URL"])
def test_an_empty_setting_of_any_kind_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    with pytest.raises(settings.SettingsError, match=f"^{name} is empty"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DEFAULT_COUNTRY", "ZZ", "there is no country 'ZZ'.*write it like IL"),
        ("DEFAULT_COUNTRY", "il", "there is no country 'il'"),
        ("REDIS_URL", "127.0.0.1:6379", "must begin with redis://"),
        ("BRIDGE_URL", "127.0.0.1:8100", "must begin with http://"),
        ("EVENTS_URL", "/events/bridge", "must begin with http://"),
        ("CLOUD_GRAPH_URL", "graph.facebook.com", "must begin with http://"),
        ("CLOUD_GRAPH_URL", "http://graph.facebook.com", "must begin with https://"),
        ("CLOUD_GRAPH_URL", "http://127.0.0.1@graph.facebook.com", "must begin with https://"),
        ("CLOUD_GRAPH_URL", "http://127.0.0.1.example.com", "must begin with https://"),
        ("API_PORT", "99999", r"65535 \(Port of the API\)"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_meaning(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingsError, match=f"^{name}: .*{words}"):
        settings.load()


def test_what_is_needed_and_missing_is_named_with_its_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(settings.SettingsError, match=r"DATABASE_URL is not set: .*postgresql://"):
        settings.load("database_url")
