"""Is what deploy/ asks of Kubernetes what it means to ask?"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config

from course import leaks
from course.classroom import gradebook, lti

# The keys we use of the chart's reference (https://z2jh.jupyter.org, "Configuration Reference"),
# and what it says they take. A misspelt one would be ignored, or stop the installation.
CHART = {
    "hub.config.JupyterHub.authenticator_class": str,
    "hub.config.JupyterHub.admin_access": bool,
    "hub.extraFiles.lti.mountPath": str,
    "hub.extraVolumes": list,
    "hub.extraVolumeMounts": list,
    "proxy.https.enabled": bool,
    "proxy.https.type": str,
    "proxy.https.hosts": list,
    "proxy.https.letsencrypt.contactEmail": str,
    "singleuser.image.name": str,
    "singleuser.image.tag": str,
    "singleuser.uid": (int, type(None)),
    "singleuser.fsGid": (int, type(None)),
    "singleuser.allowPrivilegeEscalation": bool,
    "singleuser.defaultUrl": str,
    "singleuser.memory.guarantee": str,
    "singleuser.memory.limit": str,
    "singleuser.cpu.guarantee": (int, float),
    "singleuser.cpu.limit": (int, float),
    "singleuser.profileList": list,
    "singleuser.storage.capacity": str,
    "singleuser.storage.homeMountPath": str,
    "singleuser.storage.extraVolumes": list,
    "singleuser.storage.extraVolumeMounts": list,
    "singleuser.extraEnv.COURSE_EXCHANGE": str,
    "singleuser.extraEnv.OMP_NUM_THREADS": str,
    "singleuser.extraFiles.nbgrader.mountPath": str,
    "singleuser.extraFiles.nbgrader.data": dict,  # written as JSON, as the file's name asks
    "singleuser.networkPolicy.enabled": bool,
    "singleuser.networkPolicy.egressAllowRules.cloudMetadataServer": bool,
    "singleuser.networkPolicy.egressAllowRules.privateIPs": bool,
    "singleuser.networkPolicy.egressAllowRules.nonPrivateIPs": bool,
    "cull.enabled": bool,
    "cull.timeout": int,
    "cull.every": int,
    "scheduling.userScheduler.enabled": bool,
}
# https://jupyterhub-kubespawner.readthedocs.io, "profile_list": traits of KubeSpawner.
OVERRIDES = {"image", "mem_guarantee", "mem_limit", "extra_resource_limits", "tolerations"}
STUDENTS = ("anna1", "bo")


def leaves(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    found = {}
    for key, value in tree.items():
        deeper = isinstance(value, dict) and f"{above}{key}" not in CHART
        found |= leaves(value, f"{above}{key}.") if deeper else {f"{above}{key}": value}
    return found


def test_values_are_keys_that_the_chart_documents(values: dict[str, Any]) -> None:
    for key, value in leaves(values).items():
        assert key in CHART, f"{key} is not known"
        assert isinstance(value, CHART[key]), f"{key}: {value!r}"
    for profile in values["singleuser"]["profileList"]:
        assert set(profile) <= {"display_name", "description", "default", "kubespawner_override"}
        assert set(profile.get("kubespawner_override", {})) <= OVERRIDES


def test_nbgrader_takes_the_classrooms_exchange(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbgrader.apps import NbGraderApp
    from nbgrader.exchange import ExchangeFactory

    file = values["singleuser"]["extraFiles"]["nbgrader"]
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / Path(file["mountPath"]).name).write_text(json.dumps(file["data"]))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "etc"))
    monkeypatch.chdir(tmp_path)  # a student's home, with no settings in it
    app = NbGraderApp()
    app.load_config_file()
    factory = ExchangeFactory(config=app.config)
    for name in file["data"]["ExchangeFactory"]:
        assert getattr(factory, name).__module__ == "course.classroom.exchange"
    assert app.config.Exchange.root == "/srv/exchange"


def test_accounts_of_a_roster_are_what_the_hub_and_the_gradebook_read(
    deploy: Path, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "roster.csv").write_text("id,name,email\n4711,Anna A,a@example.org\n")
    command = [sys.executable, str(deploy / "kubernetes" / "accounts.py"), "roster.csv"]
    here = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(root)}, "text": True}
    accounts = json.loads(subprocess.check_output(command, **here))
    assert {name: (who["id"], who["role"]) for name, who in accounts.items()} == {
        "s4711": ("4711", "student"),
        "instructor": ("instructor", "instructor"),
    }
    listed = json.loads(subprocess.check_output([*command, "--gradebook"], **here))
    gradebook.put(f"sqlite:///{tmp_path}/gradebook.db", listed)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as made:
        assert made.find_student("s4711").lms_user_id == "4711"


def test_nobody_comes_in_while_hub_py_is_not_there(values: dict[str, Any]) -> None:
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import NullAuthenticator

    hub = JupyterHub(config=Config({"JupyterHub": values["hub"]["config"]["JupyterHub"]}))
    assert hub.authenticator_class is NullAuthenticator


def test_pods_share_the_claims_folders_and_image_that_are_made(
    values: dict[str, Any], objects: dict[str, Any]
) -> None:
    pods = values["singleuser"]
    claims = [v["persistentVolumeClaim"]["claimName"] for v in pods["storage"]["extraVolumes"]]
    assert {f"PersistentVolumeClaim/{claim}" for claim in claims} <= set(objects)
    job = objects["Job/exchange"]["spec"]["template"]["spec"]
    steps = [*job["initContainers"], *job["containers"]]
    assert {step["image"] for step in steps} == {"{name}:{tag}".format(**pods["image"])}
    said = {one["name"]: one["value"] for one in steps[0]["env"]}
    settings = pods["extraFiles"]["nbgrader"]["data"]
    assert settings["CourseDirectory"]["course_id"] == said["COURSE_ID"]
    assert settings["Exchange"]["root"] == said["EXCHANGE"] == pods["extraEnv"]["COURSE_EXCHANGE"]
    assert pods["storage"]["extraVolumeMounts"][0]["mountPath"] == said["EXCHANGE"]


@pytest.fixture
def hub_py(deploy: Path, root: Path, tmp_path: Path) -> dict[str, Any]:
    """The names in hub.py after the hub ran it, with secrets in a folder of the test's."""
    people = {name: {"id": name, "email": "", "role": "student"} for name in STUDENTS}
    people["teacher"] = {"id": "", "email": "", "role": "instructor"}
    (tmp_path / "accounts.json").write_text(json.dumps(people))
    settings = {"version": "1.1", "course": "c", "consumers": {"lms": "a secret"}}
    (tmp_path / "lti.json").write_text(json.dumps(settings))
    code = (deploy / "kubernetes" / "hub.py").read_text()
    code = code.replace('"/etc/course"', repr(str(tmp_path)))
    code = code.replace('"/usr/local/etc/course"', repr(str(root / "course" / "classroom")))
    names: dict[str, Any] = {"c": Config()}
    exec(code, names)
    return names


def started(hub_py: dict[str, Any], account: str, **given: Any) -> SimpleNamespace:
    """What the hub asks for when an account's pod starts."""
    spawner = SimpleNamespace(
        user=SimpleNamespace(name=account),
        environment={"COURSE_EXCHANGE": "/srv/exchange"},
        extra_labels={},
        volumes=[{"name": "exchange"}],
        volume_mounts=[{"name": "exchange"}],
        args=[],
    )
    vars(spawner).update(given)
    hub_py["c"].KubeSpawner.pre_spawn_hook(spawner)
    return spawner


def test_hub_py_signs_in_by_lti(hub_py: dict[str, Any]) -> None:
    assert hub_py["c"].JupyterHub.authenticator_class.__name__ == lti.CourseLTI11.__name__


def test_students_are_system_users_of_their_own_and_see_nobody_else(
    hub_py: dict[str, Any],
) -> None:
    pods = {name: started(hub_py, name) for name in STUDENTS}
    for name, pod in pods.items():
        assert pod.uid == pod.gid == pod.pod_security_context["fsGroup"]
        assert 100_000 <= pod.uid < 2**31
        assert pod.uid == started(hub_py, name).uid
        line = f"{name}:x:{pod.uid}:{pod.gid}::/home/jovyan:/bin/bash"
        assert pod.environment == {"COURSE_EXCHANGE": "/srv/exchange", "COURSE_PASSWD": line}
        assert pod.volumes == [{"name": "exchange"}]
        assert pod.args == []
        assert pod.extra_labels == {"course-role": "student"}
    assert pods["anna1"].uid != pods["bo"].uid


@pytest.mark.parametrize("kind", [list, dict])
def test_the_instructor_has_the_course_and_knows_owners(
    hub_py: dict[str, Any], objects: dict[str, Any], kind: type
) -> None:
    given = [{"name": "exchange"}] if kind is list else {"exchange": {"name": "exchange"}}
    pod = started(hub_py, "teacher", volumes=given, volume_mounts=given)
    for _ in range(2):  # the hub keeps the spawner: a second start changes nothing
        hub_py["c"].KubeSpawner.pre_spawn_hook(pod)
    volumes = pod.volumes if kind is list else list(pod.volumes.values())
    mounts = pod.volume_mounts if kind is list else list(pod.volume_mounts.values())
    assert [volume["name"] for volume in volumes] == ["exchange", "course"]
    claim = volumes[1]["persistentVolumeClaim"]["claimName"]
    assert f"PersistentVolumeClaim/{claim}" in objects
    job = objects["Job/exchange"]["spec"]["template"]["spec"]["initContainers"][0]
    assert mounts[1]["mountPath"] == {v["name"]: v["value"] for v in job["env"]}["COURSE"]
    owners = set(re.findall(r"-o (\d+)", job["command"][2]))
    assert owners == {str(pod.uid)}
    names = [line.split(":")[0] for line in pod.environment["COURSE_PASSWD"].splitlines()]
    assert names == ["anna1", "bo", "teacher"]
    chosen = objects["NetworkPolicy/instructor"]["spec"]["podSelector"]["matchLabels"]
    assert chosen == pod.extra_labels


def test_who_is_taken_out_gets_no_pod(hub_py: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        started(hub_py, "cy")


def test_no_answer_and_no_secret_goes_into_the_image(deploy: Path, root: Path) -> None:
    lines = (deploy / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in lines  # nothing, but
    let_in = [line[1:].rstrip("/") for line in lines if line.startswith("!")]
    assert set(let_in) == {
        "LICENSE", "README.md", "pyproject.toml", "requirements.lock", "course", "tools",
        "deploy/start",
    }  # fmt: skip
    there = [root / name for name in let_in if (root / name).exists()]
    assert leaks.scan(root, there) == []


def test_the_image_is_pinned_and_runs_as_nobody_special(deploy: Path) -> None:
    lines = (deploy / "Dockerfile").read_text().splitlines()
    (base,) = (line.split()[1] for line in lines if line.startswith("FROM "))
    assert re.fullmatch(r"debian:\d+\.\d+-slim", base)
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER 1000"
    assert os.access(deploy / "start", os.X_OK)
