"""What the processes of `make up` read: what the operator has set, and what is embedded for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from local.errors import LocalError
from local.ports import Ports
from settings import Settings

POSTGRES_PORT = 15_432  # below the range from which Linux gives ports to clients
REDIS_PORT = 16_379
# Secrets that nobody has to choose: where they are not set, those that this machine has made for itself
MADE = (
    "bridge_secret",
    "events_secret",
    "api_token",
    "console_password",
    "baileys_auth_key",
    "cloud_token_key",
    "cloud_verify_token",
)
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (compared with, not listened on)


def embedded_servers(settings: Settings) -> list[str]:
    """Names of the servers that are not set and therefore embedded, in the order in which they start.

    Raises LocalError where that cannot be: on a platform, or with a bridge of the operator's whose secrets are not set.
    """
    addresses = {"postgres": settings.database_url, "redis": settings.redis_url, "bridge": settings.bridge_url}
    embedded = [name for name, url in addresses.items() if url is None]
    if embedded and settings.on_platform:
        raise LocalError(
            f"embedded servers ({', '.join(embedded)}) do not run on a platform, whose disk is not kept: "
            "set DATABASE_URL, REDIS_URL and BRIDGE_URL there, and start the processes of the Procfile"
        )
    if "bridge" not in embedded and (settings.bridge_secret is None or settings.events_secret is None):
        raise LocalError("BRIDGE_URL is set, so BRIDGE_SECRET and EVENTS_SECRET must be set too: those of that bridge")
    return embedded


def choose_ports(settings: Settings, embedded: list[str], ports: Ports) -> None:
    """Choose the ports of everything that will listen."""
    ports.take("api", settings.api_port)
    ports.take("console", settings.console_port)
    if "bridge" in embedded:
        wanted = {"simulator": settings.simulator_port, "baileys": settings.baileys_port}
        ports.take("bridge", wanted[settings.bridge])
    if "postgres" in embedded:
        ports.take("postgres", POSTGRES_PORT, sticky=True)
    if "redis" in embedded:
        ports.take("redis", REDIS_PORT, sticky=True)


def host_for_clients(settings: Settings) -> str:
    """The address at which this machine reaches what listens on ``settings.host``."""
    return "127.0.0.1" if settings.host in ANY_ADDRESS else settings.host


def process_environment(
    inherited: Mapping[str, str],
    settings: Settings,
    *,
    kept: Mapping[str, str],
    ports: Mapping[str, int],
    urls: Mapping[str, str],
    data_dir: Path,
) -> dict[str, str]:
    """The environment of every process: ``inherited`` and what is chosen here.

    ``kept`` are the secrets by name, ``ports`` the chosen ports, ``urls`` the embedded servers' addresses by the name
    of their setting.
    """
    chosen = {
        **{name.upper(): url for name, url in urls.items()},
        "API_PORT": str(ports["api"]),
        "CONSOLE_PORT": str(ports["console"]),
        "DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
    }
    host = host_for_clients(settings)
    if "bridge" in ports:
        chosen[f"{settings.bridge}_port".upper()] = str(ports["bridge"])
        chosen["BRIDGE_URL"] = f"http://{host}:{ports['bridge']}"
    if settings.events_url is None:
        chosen["EVENTS_URL"] = f"http://{host}:{ports['api']}/events/bridge"
    for name in MADE:
        if getattr(settings, name) is None:
            chosen[name.upper()] = kept[name]
    # Settings are read without regard to case: api_port=8000 must not stay beside our API_PORT.
    return {name: value for name, value in inherited.items() if name.upper() not in chosen} | chosen


def environments_by_process(
    env: Mapping[str, str], names: list[str], ports: Mapping[str, int]
) -> dict[str, dict[str, str]]:
    """``env`` for each process; those that listen get their port as PORT too: a PORT of the machine would go first."""
    port_of = {"web": ports["console"], "api": ports["api"], "bridge": ports.get("bridge")}
    return {name: dict(env) if port_of.get(name) is None else {**env, "PORT": str(port_of[name])} for name in names}
