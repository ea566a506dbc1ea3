"""The bridges that a process reaches, made from its settings: the same for the workers, the API and the console."""

from __future__ import annotations

from sqlalchemy import Engine

import settings as environment
from bridge.cloud.client import CloudBridge
from bridge.directory import Directory
from services.cloud import Cloud
from services.cloud_accounts import KeptAccounts
from services.seal import Seal
from settings import Settings


def bridges(settings: Settings, engine: Engine) -> tuple[Directory, Cloud | None]:
    """All bridges by their address, and Meta's Cloud API where CLOUD_TOKEN_KEY is set. Its numbers are read through
    ``engine``."""
    cloud, client = None, None
    if settings.cloud_token_key is not None:
        seal = Seal(settings.cloud_token_key.get_secret_value())
        accounts = KeptAccounts(engine, seal)
        client = CloudBridge(
            accounts,
            settings.cloud_graph_url,
            settings.cloud_api_version,
            send_limit_s=settings.send_limit_s,
            http_timeout_s=settings.http_timeout_s,
        )
        cloud = Cloud(client, accounts, seal)
    directory = Directory(
        environment.given(settings, "bridge_url"),
        environment.given(settings, "bridge_secret"),
        send_limit_s=settings.send_limit_s,
        http_timeout_s=settings.http_timeout_s,
        cloud=client,
    )
    return directory, cloud
