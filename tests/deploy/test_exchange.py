"""Do the shared folders keep students apart, and does what they hand in arrive whole?"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def job(objects: dict[str, Any], folder: Path, skip: str = "") -> list[tuple[str, int, str]]:
    """Run the steps of the exchange's job here, as the users it names: name, status, output."""
    spec = objects["Job/exchange"]["spec"]["template"]["spec"]
    done = []
    for step in [*spec["initContainers"], *spec["containers"]]:
        own = step["securityContext"]["runAsUser"]
        as_user = ["setpriv", f"--reuid={own}", f"--regid={own}", "--clear-groups"] if own else []
        said = {one["name"]: one["value"].replace("/srv", str(folder)) for one in step["env"]}
        said["COURSE_ID"] = "our-course"
        script = step["command"][2].replace(skip, "") if skip else step["command"][2]
        run = subprocess.run(
            [*as_user, *step["command"][:2], script],
            env={**os.environ, **said},
            capture_output=True,
            text=True,
        )
        done.append((step["name"], run.returncode, run.stdout))
        if run.returncode:
            break
    return done


needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can be several users"
)


@pytest.fixture
def volumes() -> Iterator[Path]:
    """Two empty volumes, in a folder that every user can enter."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        for name in ("exchange", "course"):
            (folder / name).mkdir(mode=0o755)
        yield folder


@needs_root
def test_the_exchange_is_made_so_that_students_are_kept_apart(
    objects: dict[str, Any], volumes: Path
) -> None:
    for _ in range(2):  # again, when there is something in it
        done = job(objects, volumes)
        assert [status for _, status, _ in done] == [0, 0, 0, 0], done
        assert not list((volumes / "exchange" / "our-course" / "inbound").iterdir())
    assert (volumes / "course").stat().st_mode & 0o777 == 0o700


@needs_root
def test_the_job_fails_where_the_volume_would_let_students_at_others_work(
    objects: dict[str, Any], volumes: Path
) -> None:
    # A volume that takes all files for everybody's.
    done = job(objects, volumes, skip="install -d -o 9000 -g 9000 -m 3733")
    assert done[-1][:2] != ("collect", 0)
    shutil.rmtree(volumes / "exchange")
    (volumes / "exchange").mkdir()
    inbound = volumes / "exchange" / "our-course" / "inbound"
    inbound.mkdir(parents=True)
    os.chown(inbound, 9000, 9000)
    inbound.chmod(0o2777)
    skipped = 'install -d -o 9000 -g 9000 -m 3733 "$COURSE_ID/inbound"'
    name, status, said = job(objects, volumes, skip=skipped)[-1]
    assert (name, status) == ("stay-out", 1)
    assert said == "tried\nA student may: ls inbound\n"
    # A driver that gives all files the pod's group.
    os.chown(volumes / "exchange", 0, 100001)
    name, status, said = job(objects, volumes)[-1]
    assert (name, status) == ("prepare", 1)
    assert "fsGroupPolicy" in said


@needs_root
def test_what_is_handed_in_arrives_whole_whatever_its_modes(
    objects: dict[str, Any], values: dict[str, Any], volumes: Path, root: Path
) -> None:
    assert [status for _, status, _ in job(objects, volumes)] == [0, 0, 0, 0]
    users = {"instructor": 9000, "anna": 100001}
    homes = {"instructor": volumes / "course", "anna": volumes / "anna"}
    names = [f"{who}:x:{own}:{own}::{homes[who]}:/bin/sh\n" for who, own in users.items()]
    (volumes / "passwd").write_text("".join(names))
    file = values["singleuser"]["extraFiles"]["nbgrader"]
    settings = {**file["data"], "Exchange": {"root": str(volumes / "exchange")}}
    settings["CourseDirectory"] = {"course_id": "our-course"}
    (volumes / "etc").mkdir()
    (volumes / "etc" / Path(file["mountPath"]).name).write_text(json.dumps(settings))
    notebook = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    for step in ("source", "release"):
        (homes["instructor"] / step / "ps1").mkdir(parents=True)
        (homes["instructor"] / step / "ps1" / "ps1.ipynb").write_bytes(notebook)
    homes["anna"].mkdir(mode=0o700)
    for who, own in users.items():
        for path in (homes[who], *homes[who].rglob("*")):
            os.chown(path, own, own)

    def nbgrader(who: str, *command: str) -> str:
        pod = [sys.executable, Path(__file__).with_name("as_pod.py"), volumes / "passwd"]
        run = subprocess.run(
            [*pod, str(users[who]), homes[who], sys.executable, "-m", "nbgrader", *command],
            env={"HOME": str(homes[who]), "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
                 "PYTHONPATH": str(root), "JUPYTER_CONFIG_PATH": str(volumes / "etc")},
            capture_output=True,
            text=True,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        return run.stderr

    nbgrader("instructor", "release_assignment", "ps1")
    nbgrader("anna", "fetch_assignment", "ps1")
    (homes["anna"] / "ps1" / "data").mkdir()
    (homes["anna"] / "ps1" / "data" / "mine.txt").write_text("mine")
    for path in (homes["anna"] / "ps1").rglob("*"):
        os.chown(path, users["anna"], users["anna"])
        path.chmod(0o700 if path.is_dir() else 0o600)
    nbgrader("anna", "submit", "ps1")
    assert "Left out" not in nbgrader("instructor", "collect", "ps1")
    collected = homes["instructor"] / "submitted" / "anna" / "ps1"
    assert {path.name for path in collected.rglob("*") if path.is_file()} == {
        "ps1.ipynb", "mine.txt", "timestamp.txt", "submission_secret.txt",
    }  # fmt: skip
