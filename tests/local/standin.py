"""Stands in for one process of the Procfile: ``python standin.py <what>``, without importing anything of Fanfare's."""

import http.server
import os
import signal
import subprocess
import sys
import threading


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Answer200(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(port: int) -> None:
    """Answer 200 to everything until SIGTERM."""
    server = http.server.HTTPServer(("127.0.0.1", port), Answer200)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    say("serving at", port)
    server.serve_forever()
    server.server_close()


def wait() -> None:
    """Live until SIGTERM, and say so."""
    say("here", os.getpid())
    signal.sigwait({signal.SIGTERM})
    say("told to end")


def wait_with_child() -> None:
    """Start a child of our own that ignores SIGTERM, and leave it behind."""
    stubborn = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('stubborn', flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        say("child", child.pid)
        signal.sigwait({signal.SIGTERM})
        os._exit(0)


def stubborn() -> None:
    """Ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("stubborn", os.getpid())
    while True:
        signal.pause()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM} if sys.argv[1].startswith(("wait", "bridge")) else set())
    what = sys.argv[1]
    if what == "api":
        serve(int(os.environ["API_PORT"]))
    elif what == "console":
        serve(int(os.environ["CONSOLE_PORT"]))
    elif what == "bridge":
        say(os.environ["BRIDGE"], "port", os.environ["BAILEYS_PORT"])
        say("a key of", len(os.environ["BAILEYS_AUTH_KEY"]))
        wait()
    elif what == "fail":
        say("something is wrong")
        sys.exit(3)
    else:
        {"wait": wait, "wait_with_child": wait_with_child, "stubborn": stubborn}[what]()
