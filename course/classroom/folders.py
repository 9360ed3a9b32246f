"""What lies where in the classroom's folder, and who may go there."""

from __future__ import annotations

import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

COURSE_ID = "neural-networks-hands-on"


class Folders:
    """The classroom's folder and its parts.

    hub        the operator's alone: configuration, accounts, secrets, the hub's state and its log
    settings   what Jupyter and nbgrader are told, for each role: everybody reads it
    exchange   where assignments go out and work comes in
    course     the instructor's alone: lessons, solutions, submissions, gradebook
    homes      one for each student, closed to all others
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hub = root / "hub"
        self.settings = root / "settings"
        self.exchange = root / "exchange"
        self.inbound = self.exchange / COURSE_ID / "inbound"
        self.course = root / "course"
        self.homes = root / "homes"
        self.accounts = self.hub / "accounts.json"
        self.config = self.hub / "jupyterhub_config.py"
        self.lti = self.hub / "lti.json"  # where it is there, people sign in from the LMS
        self.log = self.hub / "hub.log"

    def make(self) -> None:
        """Make what is missing of the operator's own folders."""
        for folder, mode in (
            (self.root, 0o755), (self.hub, 0o700), (self.settings, 0o755), (self.homes, 0o711),
        ):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)

    def make_exchange(self, instructor: int, group: int) -> None:
        """Make the exchange: students read what is out, and add to `inbound` without seeing it.

        The sticky bit keeps them from another's work there even by its name; the set-group bit
        gives what they hand in to the instructor's group.
        """
        made = self.exchange / COURSE_ID
        for folder, mode in (
            (self.exchange, 0o755), (made, 0o755), (made / "outbound", 0o755),
            (self.inbound, 0o3733), (made / "feedback", 0o711),
        ):  # fmt: skip
            folder.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                os.chown(folder, instructor, group)
            folder.chmod(mode)  # after chown, which takes the set-group bit away

    def secret(self, name: str) -> str:
        """A secret of the hub's, made on first use and readable by its owner alone."""
        path = self.hub / name
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with open(handle, "w") as file:
            file.write(secrets.token_hex(32))
        return path.read_text()

    def state(self, **changes: Any) -> dict[str, Any]:
        """What was decided at the first start, with `changes` put into it: course, address, ports.

        Ports stay the same: servers that outlive a hub look for the next one where it was.
        """
        path = self.hub / "state.json"
        known = json.loads(path.read_text()) if path.is_file() else {}
        if not known:
            known = {"hub_port": free_port(8081), "proxy_port": free_port(8001)}
        known |= changes
        path.write_text(json.dumps(known, indent=1))
        return known


def free_port(wish: int = 0) -> int:
    """A port on this machine that nothing listens on now: `wish`, where it is free."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wish))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
