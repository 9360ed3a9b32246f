"""LTI 1.1: does a signed launch sign in whom it should, and nobody else?"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import ltihub as hub
import pytest
import requests
from ltihub import PEOPLE
from oauthlib.oauth1 import SIGNATURE_TYPE_BODY, Client
from traitlets.config import Config

from course.build import BuildError
from course.classroom import hub as classroom
from course.classroom import lti, run
from course.classroom.authenticator import RosterAuthenticator
from course.classroom.folders import Folders

pytestmark = pytest.mark.xdist_group("lti")

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


def test_students_and_the_instructor_get_their_accounts(hub11: str) -> None:
    assert launch(hub11, form(hub11)) == (302, "anna1")
    assert launch(hub11, form(hub11, lis_person_sourcedid="0042")) == (302, "s0042")
    assert launch(hub11, form(hub11, roles="urn:lti:role:ims/lis/Instructor")) == (302, "teacher")


def test_who_is_not_known_stays_out(hub11: str) -> None:
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


def test_a_launch_must_be_signed_new_and_used_once(hub11: str) -> None:
    assert launch(hub11, form(hub11, secret="a guess")) == (401, None)
    assert launch(hub11, form(hub11) | {"roles": "Instructor"}) == (401, None)
    assert launch(hub11, form(hub11) | {"oauth_consumer_key": "another"}) == (401, None)
    assert launch(hub11, form(hub11, when=-60)) == (401, None)
    once = form(hub11)
    assert launch(hub11, once) == (302, "anna1")
    assert launch(hub11, once) == (401, None)


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


def test_a_classroom_takes_the_settings_that_lie_in_its_folder(tmp_path: Path) -> None:
    room = Folders(tmp_path)
    room.make()
    room.state(address="http://127.0.0.1:1", course=str(tmp_path))
    without, with_it = Config(), Config()
    classroom.configure(without, str(tmp_path))
    assert issubclass(without.JupyterHub.authenticator_class, RosterAuthenticator)
    room.lti.touch(mode=0o600)
    settings = {"version": "1.1", "course": "c", "consumers": {"lms": "a secret"}}
    room.lti.write_text(json.dumps(settings))
    classroom.configure(with_it, str(tmp_path))
    assert issubclass(with_it.JupyterHub.authenticator_class, lti.CourseLTI11)
    assert with_it.CourseLTI11.accounts_file == str(room.accounts)
    room.lti.write_text("{")
    with pytest.raises(BuildError, match=r"lti.json is no JSON"):
        run.serve(room, lambda: None)


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
