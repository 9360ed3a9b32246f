"""How JupyterHub is set up for the classroom: called by the configuration in the hub's folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from course.classroom import lti
from course.classroom.authenticator import RosterAuthenticator
from course.classroom.folders import Folders
from course.classroom.roster import INSTRUCTOR
from course.classroom.spawner import RoomSpawner, TrialSpawner

CONFIG = '''"""The classroom's JupyterHub. Written once: what you change or add here stays."""

from course.classroom import hub

hub.configure(c, {folder!r})
'''


def configure(c: Any, folder: str) -> None:
    """Put the classroom's settings into JupyterHub's `c`."""
    folders = Folders(Path(folder))
    state = folders.state()
    programs = os.path.join(sys.prefix, "bin")

    c.JupyterHub.bind_url = state["address"]
    if state.get("domain"):
        c.JupyterHub.subdomain_host = state["domain"]
    c.JupyterHub.hub_port = state["hub_port"]
    c.JupyterHub.db_url = f"sqlite:///{folders.hub / 'jupyterhub.sqlite'}"
    c.JupyterHub.cookie_secret = bytes.fromhex(folders.secret("cookie-secret"))
    c.JupyterHub.load_roles = [
        {
            "name": "instructor",
            "scopes": ["admin-ui", "list:users", "read:servers", "servers", "delete:servers"],
            "users": [INSTRUCTOR],
        },
        {
            "name": "operator",
            "scopes": ["admin:users", "admin:servers", "read:hub"],
            "services": ["operator"],
        },
    ]
    c.JupyterHub.services = [{"name": "operator", "api_token": folders.secret("operator-token")}]
    c.ConfigurableHTTPProxy.command = [os.path.join(programs, "configurable-http-proxy")]
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{state['proxy_port']}"
    c.ConfigurableHTTPProxy.auth_token = folders.secret("proxy-token")
    c.ConfigurableHTTPProxy.pid_file = str(folders.hub / "proxy.pid")

    c.JupyterHub.authenticator_class = RosterAuthenticator
    c.RosterAuthenticator.accounts_file = str(folders.accounts)
    if folders.lti.is_file():
        lti.configure(c, lti.read(folders.lti), folders.accounts)

    c.JupyterHub.spawner_class = RoomSpawner if os.geteuid() == 0 else TrialSpawner
    c.Spawner.classroom = folder
    c.Spawner.course_root = state["course"]
    c.Spawner.cmd = [os.path.join(programs, "jupyterhub-singleuser")]
    c.Spawner.default_url = "/lab"
    c.Spawner.start_timeout = c.Spawner.http_timeout = 180
    c.Spawner.env_keep = ["LANG", "LC_ALL", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"]
    # A class that logs in at once starts in turn, and nobody is sent away.
    c.JupyterHub.concurrent_spawn_limit = 4 * (os.cpu_count() or 1)
