"""Does a signed launch from the LMS sign in whom it should, and nobody else?"""

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
from oauthlib.oauth1 import SIGNATURE_TYPE_BODY, Client

from course.classroom import lti

pytestmark = pytest.mark.xdist_group("lti")

PEOPLE = {
    "anna1": {"id": "Anna 1", "email": "Anna@example.org", "role": "student"},
    "s0042": {"id": "0042", "email": "bo@example.org", "role": "student"},
    "cy": {"id": "cy", "email": "", "role": "student"},
    "one": {"id": "two of this", "email": "two@example.org", "role": "student"},
    "two": {"id": "two of this", "email": "two@example.org", "role": "student"},
    "teacher": {"id": "teacher", "email": "teacher@example.org", "role": "instructor"},
}
CLAIM, ROLE = "https://purl.imsglobal.org/spec/lti/claim/", lti._ROLE
FACULTY = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)

FORM = {
    "lti_message_type": "basic-lti-launch-request",
    "lti_version": "LTI-1p0",
    "resource_link_id": "link",
    "user_id": "opaque",
    "context_id": "our-course",
    "lis_person_sourcedid": "Anna 1",
    "lis_person_contact_email_primary": "somebody@example.org",
    "roles": "Learner",
}


@pytest.fixture(scope="module")
def hub11(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[str]:
    settings = {"version": "1.1", "course": "our-course", "consumers": {"lms": "a secret"}}
    with hub.hub(tmp_path_factory.mktemp("hub"), root, settings, PEOPLE) as address:
        yield address


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


def form(address: str, secret: str = "a secret", when: int = 0, **fields: str) -> dict[str, str]:
    """A launch of LTI 1.1, signed."""
    client = Client(
        "lms",
        client_secret=secret,
        signature_type=SIGNATURE_TYPE_BODY,
        timestamp=str(int(time.time()) + when),
    )
    _, _, body = client.sign(
        f"{address}/hub/lti/launch",
        http_method="POST",
        body={**FORM, **fields},
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    return {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}


def launch(address: str, fields: dict[str, str]) -> tuple[int, str | None]:
    """Post a launch in a new browser: its status, and who is signed in."""
    with requests.Session() as browser:
        reply = browser.post(f"{address}/hub/lti/launch", data=fields, allow_redirects=False)
        return reply.status_code, hub.user(browser, address)


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


def test_11_students_and_the_instructor_get_their_accounts(hub11: str) -> None:
    assert launch(hub11, form(hub11)) == (302, "anna1")
    assert launch(hub11, form(hub11, lis_person_sourcedid="0042")) == (302, "s0042")
    assert launch(hub11, form(hub11, roles="urn:lti:role:ims/lis/Instructor")) == (302, "teacher")


def test_11_who_is_not_known_stays_out(hub11: str) -> None:
    for fields in (
        {"lis_person_sourcedid": "nobody"},
        {"lis_person_sourcedid": ""},
        {"lis_person_sourcedid": "teacher"},
        {"lis_person_sourcedid": "s0042"},  # the account's name is not the id
        {"lis_person_sourcedid": "two of this"},
        {"lis_person_sourcedid": "", "user_id": "cy"},  # which the library would take by itself
        {"context_id": "another-course"},
        {"context_id": "another-course", "roles": "Instructor"},
        {"lis_person_sourcedid": "nobody", "roles": "urn:lti:instrole:ims/lis/Instructor"},
    ):
        assert launch(hub11, form(hub11, **fields)) == (403, None), fields
    # An instructor elsewhere in the university who studies here is a student.
    # So is somebody who is entered as both in our course.
    for elsewhere in ("urn:lti:instrole:ims/lis/Instructor", "Instructor"):
        assert launch(hub11, form(hub11, roles=f"{elsewhere},Learner")) == (302, "anna1")


def test_11_a_launch_must_be_signed_new_and_used_once(hub11: str) -> None:
    assert launch(hub11, form(hub11, secret="a guess")) == (401, None)
    assert launch(hub11, form(hub11) | {"roles": "Instructor"}) == (401, None)
    assert launch(hub11, form(hub11) | {"oauth_consumer_key": "another"}) == (401, None)
    assert launch(hub11, form(hub11, when=-60)) == (401, None)
    once = form(hub11)
    assert launch(hub11, once) == (302, "anna1")
    assert launch(hub11, once) == (401, None)


def test_13_students_and_the_instructor_get_their_accounts(hub13: str) -> None:
    assert comes(hub13) == (302, "anna1")
    assert comes(hub13, email="bo@example.org") == (302, "s0042")
    assert comes(hub13, **{CLAIM + "roles": [ROLE + "Instructor", FACULTY]}) == (302, "teacher")


def test_13_who_is_not_known_stays_out(hub13: str) -> None:
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


def test_13_a_token_must_be_signed_by_the_lms_for_this_hub(hub13: str) -> None:
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


def test_13_a_launch_is_of_one_browser_and_used_once(hub13: str) -> None:
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


def test_13_a_browser_that_comes_from_the_lms_keeps_its_cookies(
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


def test_settings_that_others_can_read_or_that_lack_something_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "lti.json"
    path.touch(mode=0o600)
    whole = {"version": "1.1", "course": "c", "consumers": {"lms": "a secret"}}
    path.write_text(json.dumps(whole))
    assert lti.read(path) == {**whole, "identify": "id"}
    path.chmod(0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        lti.read(path)
    path.chmod(0o600)
    for change, said in (
        ({"course": ""}, "lacks course"),
        ({"consumers": {}}, "lacks consumers"),
        ({"version": "2"}, "version"),
        ({"version": "1.3"}, "lacks authorize_url, client_id, issuer, jwks_endpoint"),
        ({"identify": "name"}, "identify"),
    ):
        path.write_text(json.dumps(whole | change))
        with pytest.raises(ValueError, match=said):
            lti.read(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="no JSON"):
        lti.read(path)


def test_who_is_taken_out_of_the_accounts_is_out_at_once(tmp_path: Path, root: Path) -> None:
    settings = {"version": "1.1", "course": "our-course", "consumers": {"lms": "a secret"}}
    with hub.hub(tmp_path, root, settings, PEOPLE) as address, requests.Session() as browser:
        browser.post(f"{address}/hub/lti/launch", data=form(address), allow_redirects=False)
        assert hub.user(browser, address) == "anna1"
        left = {name: who for name, who in PEOPLE.items() if name != "anna1"}
        (tmp_path / "accounts.json").write_text(json.dumps(left))
        assert launch(address, form(address)) == (403, None)
        for _ in range(60):
            if hub.user(browser, address) is None:
                break
            time.sleep(0.5)
        assert hub.user(browser, address) is None
