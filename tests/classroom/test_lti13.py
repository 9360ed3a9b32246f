"""LTI 1.3: does a signed launch sign in whom it should, and nobody else?"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import ltihub as hub
import playwright.sync_api as playwright
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from ltihub import PEOPLE

from course.classroom import lti

pytestmark = pytest.mark.xdist_group("lti")

CLAIM, ROLE = "https://purl.imsglobal.org/spec/lti/claim/", lti._ROLE
FACULTY = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@pytest.fixture(scope="module")
def lms() -> Iterator[str]:
    """An LMS that knows one person, Anna."""
    key = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    keys = json.dumps({"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]})
    pages = {"/jwks": lambda _: keys, "/authorize": authorized, "/course": course_page}
    with hub.served(pages) as address:
        yield address


@pytest.fixture(scope="module")
def hub13(tmp_path_factory: pytest.TempPathFactory, root: Path, lms: str) -> Iterator[str]:
    settings = {
        "version": "1.3",
        "course": "our-course",
        "identify": "email",
        "issuer": "https://lms.example.org",
        "client_id": "tool",
        "authorize_url": f"{lms}/authorize",
        "jwks_endpoint": f"{lms}/jwks",
    }
    with hub.hub(tmp_path_factory.mktemp("hub"), root, settings, PEOPLE) as address:
        yield address


def course_page(asked: dict[str, str]) -> str:
    """The course's page in the LMS, with a link that opens the tool in a new window."""
    tool = asked["hub"]
    login = f"{tool}/hub/lti13/oauth_login?iss=https://lms.example.org&login_hint=7&client_id=tool"
    return f'<a target="_blank" href="{login}&target_link_uri={tool}/hub/home">Notebooks</a>'


def authorized(asked: dict[str, str]) -> str:
    """The page by which the LMS sends a browser back with its token."""
    return (
        f'<form method="post" action="{asked["redirect_uri"]}">'
        f'<input name="id_token" value="{token(asked["nonce"])}">'
        f'<input name="state" value="{asked["state"]}"></form>'
        "<script>document.forms[0].submit()</script>"
    )


class Browser(requests.Session):
    """A browser, in which the LMS's page opens the tool."""

    def open_tool(self, address: str) -> dict[str, str]:
        """Begin a launch of LTI 1.3; returns what the hub asks the LMS for."""
        started = self.get(
            f"{address}/hub/lti13/oauth_login",
            params={
                "iss": "https://lms.example.org",
                "login_hint": "7",
                "target_link_uri": f"{address}/hub",
                "client_id": "tool",
            },
            allow_redirects=False,
        )
        assert "/authorize?" in started.headers["Location"]
        asked = parse_qs(urlsplit(started.headers["Location"]).query)
        return {name: values[0] for name, values in asked.items()}

    def come_back(self, address: str, token: str, state: str) -> tuple[int, str | None]:
        """Post what the LMS sends through the browser: its status, and who is signed in."""
        reply = self.post(
            f"{address}/hub/lti13/oauth_callback",
            data={"id_token": token, "state": state},
            allow_redirects=False,
        )
        return reply.status_code, hub.user(self, address)


def token(nonce: str, key: Any = KEY, algorithm: str | None = "RS256", **claims: Any) -> str:
    """The token of a launch of LTI 1.3, signed. A claim of None is left out."""
    now = int(time.time())
    said = {
        "iss": "https://lms.example.org",
        "aud": "tool",
        "sub": "opaque",
        "iat": now,
        "exp": now + 60,
        "nonce": nonce,
        "email": "anna@EXAMPLE.org",
        CLAIM + "version": "1.3.0",
        CLAIM + "deployment_id": "1",
        CLAIM + "target_link_uri": "http://127.0.0.1/hub",
        CLAIM + "message_type": "LtiResourceLinkRequest",
        CLAIM + "resource_link": {"id": "link"},
        CLAIM + "context": {"id": "our-course"},
        CLAIM + "roles": [ROLE + "Learner"],
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key, algorithm, headers={"kid": "one"})


@contextmanager
def opened(address: str) -> Iterator[tuple[Browser, dict[str, str]]]:
    with Browser() as browser:
        yield browser, browser.open_tool(address)


def comes(address: str, **claims: Any) -> tuple[int, str | None]:
    """A whole launch of LTI 1.3 with these claims."""
    with opened(address) as (browser, asked):
        return browser.come_back(address, token(asked["nonce"], **claims), asked["state"])


def test_students_and_the_instructor_get_their_accounts(hub13: str) -> None:
    assert comes(hub13) == (302, "anna1")
    assert comes(hub13, email="bo@example.org") == (302, "s0042")
    assert comes(hub13, **{CLAIM + "roles": [ROLE + "Instructor", FACULTY]}) == (302, "teacher")


def test_who_is_not_known_stays_out(hub13: str) -> None:
    for claims in (
        {"email": "nobody@example.org"},
        {"email": None},
        {"email": ""},
        {"email": "two@example.org"},
        {"email": "teacher@example.org"},
        {"email": None, "sub": "anna1"},  # what the library would take by itself
        {CLAIM + "context": {"id": "another-course"}},
        {CLAIM + "context": None, CLAIM + "roles": [ROLE + "Instructor"]},
        {"email": "nobody@example.org", CLAIM + "roles": [FACULTY]},
    ):
        assert comes(hub13, **claims) == (403, None), claims
    assert comes(hub13, **{CLAIM + "roles": [ROLE + "Learner", FACULTY]}) == (302, "anna1")


def test_a_token_must_be_signed_by_the_lms_for_this_hub(hub13: str) -> None:
    old = int(time.time()) - 7200
    for claims in (
        {"key": OTHER_KEY},
        {"key": None, "algorithm": "none"},
        {"aud": "another-tool"},
        {"iss": "https://evil.example.org"},
        {"exp": old + 60, "iat": old},
        {"iat": old},
    ):
        status, name = comes(hub13, **claims)
        assert status in (400, 401), claims
        assert name is None
    # The public key taken for a secret, which naive checkers fall for.
    with opened(hub13) as (browser, asked):
        _, body, _ = token(asked["nonce"]).split(".")
        header = jwt.utils.base64url_encode(json.dumps({"alg": "HS256", "kid": "one"}).encode())
        signed = header + b"." + body.encode()
        forged = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        mac = jwt.utils.base64url_encode(forged.sign(signed, PUBLIC))
        assert browser.come_back(hub13, (signed + b"." + mac).decode(), asked["state"]) == (
            400,
            None,
        )


def test_a_launch_is_of_one_browser_and_used_once(hub13: str) -> None:
    with opened(hub13) as (browser, asked), opened(hub13) as (another, asked_of_another):
        caught = token(asked["nonce"])
        cookies = dict(browser.cookies)
        # Somebody else's token, and a browser that asked for nothing.
        assert another.come_back(hub13, caught, asked_of_another["state"]) == (400, None)
        assert Browser().come_back(hub13, caught, asked["state"]) == (400, None)
        assert browser.come_back(hub13, caught, asked["state"]) == (302, "anna1")
        # Again, and with all the cookies it had.
        with Browser() as thief:
            thief.cookies.update(cookies)
            assert thief.come_back(hub13, caught, asked["state"]) == (401, None)


def test_a_browser_that_comes_from_the_lms_keeps_its_cookies(
    hub13: str, lms: str, browser: playwright.Browser
) -> None:
    # A browser holds back cookies from forms that another site sends, with few exceptions.
    with browser.new_context() as window:
        page = window.new_page()
        page.goto(f"{lms}/course?hub={hub13}")
        with window.expect_page() as opening:
            page.get_by_role("link", name="Notebooks").click()
        opening.value.wait_for_url("**/hub/home")
        playwright.expect(opening.value.get_by_text("anna1")).to_be_visible()
