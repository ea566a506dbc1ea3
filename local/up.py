"""``make up``: everything of Fanfare on this machine, from a fresh clone to a running console."""

from __future__ import annotations

import http.client
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from bridge import node
from local.environment import (
    choose_ports,
    embedded_servers,
    environments_by_process,
    host_for_clients,
    process_environment,
)
from local.errors import LocalError
from local.output import rotated, say
from local.ports import Ports
from local.postgres import EmbeddedPostgres
from local.procfile import read_procfile, run_to_end
from local.reaper import Reaper
from local.redis import EmbeddedRedis
from local.run_lock import only_run
from local.secrets import kept_secrets
from local.server import EmbeddedServer
from local.supervisor import GRACE_S, STOP_SIGNALS, Supervisor
from settings import ROOT, Settings, SettingsError, load

READY_DEADLINE_S = 120.0
SEED = [sys.executable, "-m", "local.seed"]
INSTALL = [sys.executable, "-m", "bridge.node", "install"]
FIRST_PHONE = """
WhatsApp is the real one. In the console: Phones, Add a phone, of the kind "WhatsApp phone"; then scan its QR code with the
phone (WhatsApp: Settings, Linked devices). Before the first campaign read docs/baileys.md.
"""


def up(settings: Settings) -> None:
    """Run until a signal says stop. Raises LocalError when something stands in the way."""
    data_dir = (ROOT / settings.data_dir).resolve()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"cannot make the folder {data_dir} ({error.strerror}): choose another DATA_DIR") from None
    embedded = embedded_servers(settings)
    real_whatsapp = "bridge" in embedded and settings.bridge == "baileys"
    commands = read_procfile((ROOT / "Procfile").read_text())
    release = commands.pop("release")
    if "bridge" not in embedded:
        commands.pop("bridge", None)
    logs = data_dir / "logs"
    with ExitStack() as stack:
        lock = stack.enter_context(only_run(data_dir))
        kept = kept_secrets(data_dir / "secrets.json")
        ports = Ports(data_dir / "ports.json")
        stack.callback(ports.release)
        choose_ports(settings, embedded, ports)
        ports.write()

        urls: dict[str, str] = {}
        database = None
        servers: list[EmbeddedServer] = []
        if "postgres" in embedded:
            folder, port = data_dir / "postgres", ports.chosen["postgres"]
            postgres = stack.enter_context(EmbeddedPostgres(folder, password=kept["postgres_password"], port=port))
            urls["database_url"], database = postgres.url, postgres.data
            servers.append(postgres)
        if "redis" in embedded:
            folder, port = data_dir / "redis", ports.chosen["redis"]
            redis = stack.enter_context(EmbeddedRedis(folder, password=kept["redis_password"], port=port))
            urls["redis_url"] = redis.url
            servers.append(redis)

        inherited = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"}
        env = process_environment(inherited, settings, kept=kept, ports=ports.chosen, urls=urls, data_dir=data_dir)
        run_to_end("the release step", release, env, ROOT, rotated(logs, "release"))
        if real_whatsapp:
            if not node.installed():
                say("Installing what real WhatsApp needs (Node's packages); this takes a minute …")
            run_to_end("the installation of the sidecar", INSTALL, env, ROOT, rotated(logs, "install"))
        if "bridge" in embedded:
            run_to_end("the seed", SEED, env, ROOT, rotated(logs, "seed"))

        reaper = Reaper(GRACE_S, keep_open=[lock])
        stack.callback(reaper.close)
        stack.callback(_no_more_signals)
        by_process = environments_by_process(env, list(commands), ports.chosen)
        supervisor = Supervisor(commands, by_process, cwd=ROOT, logs=logs, servers=servers, reaper=reaper)
        host = host_for_clients(settings)
        supervisor.run(
            lambda: _not_ready(host, ports.chosen),
            lambda: say(_welcome(settings, kept, ports.chosen, data_dir, database, FIRST_PHONE * real_whatsapp)),
            READY_DEADLINE_S,
        )


def _not_ready(host: str, ports: Mapping[str, int]) -> str | None:
    """What does not answer yet, or None."""
    for name, port, path in (("API", ports["api"], "/readyz"), ("console", ports["console"], "/_stcore/health")):
        connection = http.client.HTTPConnection(host, port, timeout=1)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"the {name} does not answer at port {port} ({error})"
        finally:
            connection.close()
        if status != 200:
            return f"the {name} answers {status} to {path}"
    return None


def _welcome(
    settings: Settings,
    kept: Mapping[str, str],
    ports: Mapping[str, int],
    data_dir: Path,
    database: Path | None,
    hint: str,
) -> str:
    host = host_for_clients(settings)
    password = "as you have set it" if settings.console_password else kept["console_password"]
    token = "as you have set it" if settings.api_token else f"api_token in {data_dir / 'secrets.json'}"
    lines = [
        "",
        "Fanfare is ready.",
        "",
        f"  Console    http://{host}:{ports['console']}",
        f"  Password   {password}",
        f"  API        http://{host}:{ports['api']}",
        f"  API docs   http://{host}:{ports['api']}/docs",
        f"  API token  {token}",
        f"  Data       {data_dir}",
        *([f"  Database   {database}"] if database else []),
        f"  Logs       {data_dir / 'logs'}",
        hint,
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def _no_more_signals() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _no_more_signals()  # what follows is the ending, which is not cut short
    raise KeyboardInterrupt


def main() -> int:
    for number in STOP_SIGNALS:
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores the hang-up
            signal.signal(number, _interrupt)
    try:
        up(load())
    except (LocalError, SettingsError) as error:
        print(f"make up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    say("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
