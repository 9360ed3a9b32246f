"""A real JupyterHub that signs in by LTI, and the LMS that sends its people there."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import requests

PEOPLE = {
    "anna1": {"id": "Anna 1", "email": "Anna@example.org", "role": "student"},
    "s0042": {"id": "0042", "email": "bo@example.org", "role": "student"},
    "cy": {"id": "cy", "email": "", "role": "student"},
    "one": {"id": "two of this", "email": "two@example.org", "role": "student"},
    "two": {"id": "two of this", "email": "two@example.org", "role": "student"},
    "teacher": {"id": "teacher", "email": "teacher@example.org", "role": "instructor"},
}

CONFIG = """
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from course.classroom import lti

ports = {ports}
c = get_config()
lti.configure(c, lti.read(Path("lti.json")), Path("accounts.json").resolve())
c.JupyterHub.bind_url = f"http://127.0.0.1:{{ports[0]}}"
c.JupyterHub.hub_port = ports[1]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{{ports[2]}}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.spawner_class = "simple"
"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


@contextmanager
def hub(
    folder: Path, root: Path, settings: dict[str, object], people: dict[str, dict[str, str]]
) -> Iterator[str]:
    """Start a hub in `folder`; yields its address, ends with its processes gone."""
    (folder / "accounts.json").write_text(json.dumps(people))
    (folder / "lti.json").touch(mode=0o600)
    (folder / "lti.json").write_text(json.dumps(settings))
    ports = free_ports(3)
    proxy = shutil.which("configurable-http-proxy") or str(
        Path(sys.executable).with_name("configurable-http-proxy")
    )
    (folder / "jupyterhub_config.py").write_text(CONFIG.format(ports=ports, proxy=proxy))
    with (folder / "hub.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{ports[0]}"
    try:
        for _ in range(600):
            try:
                if requests.get(f"{address}/hub/api/", timeout=5).ok:
                    break
            except requests.ConnectionError:
                pass
            assert process.poll() is None, (folder / "hub.log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def user(session: requests.Session, address: str) -> str | None:
    """The account that a browser with these cookies is signed in as."""
    reply = session.get(f"{address}/hub/api/user", timeout=30)
    return reply.json()["name"] if reply.ok else None


@contextmanager
def served(pages: dict[str, Callable[[dict[str, str]], str]]) -> Iterator[str]:
    """Serve an LMS's pages, each made from its query; yields the address, on a site of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            page = pages[asked.path](dict(parse_qsl(asked.query))).encode()
            self.send_response(200)
            self.send_header(
                "Content-Type", "text/html" if page[:1] == b"<" else "application/json"
            )
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        # The hub is at 127.0.0.1: for a browser that is another site.
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
