"""Questions to the running hub."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from course.classroom.folders import Folders

_SECONDS = 60


class NoHubError(Exception):
    """The hub does not run."""


def ask(folders: Folders, path: str, method: str = "GET") -> Any:
    """What the hub answers, None for nothing or where there is no such user; NoHubError."""
    port = folders.state()["hub_port"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/hub/api/{path}",
        method=method,
        headers={"Authorization": f"token {folders.secret('operator-token')}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            text = answer.read()
    except urllib.error.HTTPError as problem:
        if problem.code == 404:
            return None
        raise
    except (urllib.error.URLError, OSError) as problem:
        raise NoHubError from problem
    return json.loads(text) if text else None


def forget(folders: Folders, account: str) -> None:
    """Stop somebody's server and end their log-ins, where the hub runs."""
    with suppress(NoHubError):
        ask(folders, f"users/{quote(account)}/server", "DELETE")
        ask(folders, f"users/{quote(account)}", "DELETE")


def servers(folders: Folders) -> dict[str, bool] | None:
    """Who the hub knows, and whether their server runs; None without a hub."""
    try:
        return {user["name"]: bool(user["server"]) for user in ask(folders, "users")}
    except NoHubError:
        return None
