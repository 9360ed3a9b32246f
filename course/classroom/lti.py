"""Sign-in from Canvas or Moodle: JupyterHub's LTI authenticators, held to one course's roster.

A launch is signed by the LMS, and checked by jupyterhub-ltiauthenticator. What it says is used
for three things only: that it comes from our course (a tool may be open to a whole university, and
an instructor there is not one here), who of the roster it is, and whether it is an instructor.

Imports nothing of the course, so that a hub in a container needs this file alone.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from ltiauthenticator.lti11.auth import LTI11Authenticator
from ltiauthenticator.lti13.auth import LTI13Authenticator
from tornado.web import HTTPError
from traitlets import Unicode

_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
# Roles in the course alone. A professor of the university ("institution", "instrole") may be a
# student of this course, or nobody in it; so may a teaching assistant of another.
_INSTRUCTOR = {_ROLE + "Instructor", "Instructor", "urn:lti:role:ims/lis/Instructor"}
_LEARNER = {_ROLE + "Learner", "Learner", "urn:lti:role:ims/lis/Learner"}
_NONCE_LIFE = 3600  # seconds; a token is too old after 600

_KEYS = {
    "1.1": {"consumers"},
    "1.3": {"issuer", "client_id", "authorize_url", "jwks_endpoint"},
}


@dataclass(frozen=True)
class Launch:
    """What a launch says, in either version of LTI."""

    course: str
    person: dict[str, str]  # by "id" (the register's) and "email"
    roles: frozenset[str]

    @classmethod
    def from_token(cls, token: Mapping[str, Any]) -> Launch:
        """A launch of LTI 1.3, from the claims of its signed token."""
        return cls(
            (token.get(_CLAIM + "context") or {}).get("id") or "",
            {
                "id": (token.get(_CLAIM + "lis") or {}).get("person_sourcedid") or "",
                "email": token.get("email") or "",
            },
            frozenset(token.get(_CLAIM + "roles") or ()),
        )

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> Launch:
        """A launch of LTI 1.1, from the fields of its signed form."""
        return cls(
            form.get("context_id", ""),
            {
                "id": form.get("lis_person_sourcedid", ""),
                "email": form.get("lis_person_contact_email_primary", ""),
            },
            frozenset(role.strip() for role in form.get("roles", "").split(",")),
        )


class OneCourse(Authenticator):
    """Which account a launch is for: what both authenticators below add to those they extend.

    The accounts are read anew each time, from a JSON file: by name, each with `id`, `email` and
    `role`, which is `student` or `instructor`. Who is taken out of it is out at once.
    """

    course = Unicode(help="The LMS's own id of our course.").tag(config=True)
    identify = Unicode("id", help="What a student is known by: id or email.").tag(config=True)
    accounts_file = Unicode(help="Where the accounts are.").tag(config=True)
    allow_all = True  # only accounts of the file have a name to come in by
    auth_refresh_age = 10  # seconds

    def accounts(self) -> dict[str, dict[str, str]]:
        """What is known of each account, by its name."""
        return json.loads(Path(self.accounts_file).read_text(encoding="utf-8"))

    def account(self, launch: Launch) -> str:
        """The name of the account; HTTPError 403 for another course, and whom nobody knows."""
        if not self.course or launch.course != self.course:
            self.log.warning("LTI launch from another course, %r", launch.course)
            raise HTTPError(403, "This is not the tool of the course you came from.")
        people = self.accounts().items()
        if launch.roles & _INSTRUCTOR and not launch.roles & _LEARNER:
            found = [name for name, who in people if who["role"] == "instructor"]
        elif known_by := _folded(launch.person[self.identify]):
            students = [(name, who) for name, who in people if who["role"] == "student"]
            found = [name for name, who in students if _folded(who[self.identify]) == known_by]
        else:
            found = []
        if len(found) != 1:
            self.log.warning("LTI launch by %s, whom %s accounts fit", launch.person, len(found))
            raise HTTPError(403, "You are not in this course's roster. Ask who teaches it.")
        return found[0]

    async def refresh_user(
        self,
        user: Any,
        handler: Any = None,  # noqa: ARG002 (JupyterHub's signature)
    ) -> bool:
        """Whether somebody who signed in earlier still may."""
        return user.name in self.accounts()


def _folded(text: str) -> str:
    return text.strip().casefold()


class CourseLTI11(OneCourse, LTI11Authenticator):
    """LTI 1.1: a form signed with a secret shared with the LMS."""

    async def authenticate(self, handler: Any, data: Any = None) -> dict[str, Any]:
        """The account of a launch whose signature, age and nonce are right."""
        checked = await super().authenticate(handler, data)
        return {"name": self.account(Launch.from_form(checked["auth_state"]))}


class CourseLTI13(OneCourse, LTI13Authenticator):
    """LTI 1.3: a token signed with the LMS's key."""

    async def authenticate(
        self,
        handler: Any,  # noqa: ARG002 (JupyterHub's signature)
        data: Any = None,
    ) -> dict[str, Any]:
        """The account of a launch whose signature, age and nonce are right, and that is new."""
        name = self.account(Launch.from_token(data))
        # A nonce is tied to a cookie of the browser's; who copied both could come again.
        now, nonce = time.monotonic(), data["nonce"]
        self._seen = {n: t for n, t in getattr(self, "_seen", {}).items() if now - t < _NONCE_LIFE}
        if nonce in self._seen:
            raise HTTPError(401, "This launch was used already. Open the tool from the LMS again.")
        self._seen[nonce] = now
        return {"name": name}


def read(path: Path) -> dict[str, Any]:
    """The settings in `path`, a JSON file that only its owner can read; ValueError else."""
    with path.open(encoding="utf-8") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise ValueError(f"{path} holds a secret and others can read it: chmod 600 {path}")
        return parsed(file.read(), str(path))


def parsed(text: str, name: str) -> dict[str, Any]:
    """The settings in a text; ValueError, with the file's name, where something lacks."""
    try:
        settings = json.loads(text)
    except ValueError as problem:
        raise ValueError(f"{name} is no JSON: {problem}") from None
    version = str(settings.get("version", ""))
    if version not in _KEYS:
        raise ValueError(f'{name} must say "version": "1.3" or "1.1".')
    if lacks := sorted(key for key in _KEYS[version] | {"course"} if not settings.get(key)):
        raise ValueError(f"{name} lacks {', '.join(lacks)}.")
    if settings.setdefault("identify", "id") not in ("id", "email"):
        raise ValueError(f'{name}: "identify" is "id" or "email".')
    return settings


def configure(c: Any, settings: Mapping[str, Any], accounts_file: Path) -> None:
    """Have a JupyterHub with the configuration `c` sign in by LTI, with settings as `read` gives.

    Whoever teaches the course in the LMS gets the one account there is with the role `instructor`.
    """
    kind = CourseLTI11 if settings["version"] == "1.1" else CourseLTI13
    c.JupyterHub.authenticator_class = kind
    section = c[kind.__name__]
    section.course = str(settings["course"])
    section.identify = settings["identify"]
    section.accounts_file = str(accounts_file)
    if kind is CourseLTI11:
        section.consumers = dict(settings["consumers"])
    else:
        section.issuer = settings["issuer"]
        section.client_id = {str(settings["client_id"])}
        section.authorize_url = settings["authorize_url"]
        section.jwks_endpoint = settings["jwks_endpoint"]
