"""Logging in with an account of the roster and the password made for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

from course.classroom.accounts import Accounts


class RosterAuthenticator(Authenticator):
    """Lets in who is in the accounts' file; who is taken out of it is out at once."""

    accounts_file = Unicode(help="Where the accounts are.").tag(config=True)
    # Look again, at each request that is older than this many seconds, whether somebody is in.
    auth_refresh_age = 10
    allow_all = True  # who has a password is in the file

    @property
    def _accounts(self) -> Accounts:
        return Accounts(Path(self.accounts_file))

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """The account's name, where the password fits it."""
        del handler
        account = data.get("username", "").strip().lower()
        password = data.get("password", "").strip()
        fits = await asyncio.to_thread(self._accounts.fits, account, password)
        return account if fits else None

    async def refresh_user(self, user: Any, handler: Any = None) -> bool:
        """Whether somebody who logged in earlier still may."""
        del handler
        return user.name in self._accounts.all()
