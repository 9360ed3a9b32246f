"""What the hub does beyond values.yaml: who may come in, and as which system user.

Goes into `hub.extraConfig`, which the chart's hub runs last. Each account has a system user of its
own, so that the exchange keeps students apart as it does on one machine: in the chart as it comes,
all are user 1000. The instructor's pod has the course's folder besides, and formgrader opens.
"""
# ruff: noqa: F821 (c, the configuration, is the hub's)

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, "/usr/local/etc/course")  # where values.yaml puts it
import lti

SECRETS = Path("/etc/course")  # the Secret `course-classroom`
ACCOUNTS = SECRETS / "accounts.json"
INSTRUCTOR = 9000  # as in exchange.yaml


def number(name, role):
    """The system user, and group, of an account: the same for ever, and on every node.

    Students are spread over 2,000,000,000; that two of 300 meet has a chance of 1 in 40,000.
    """
    if role == "instructor":
        return INSTRUCTOR
    digest = hashlib.sha256(name.encode()).digest()
    return 100_000 + int.from_bytes(digest[:8], "big") % 2_000_000_000


def passwd(name, role):
    """An account's line of /etc/passwd."""
    own = number(name, role)
    return f"{name}:x:{own}:{own}::/home/jovyan:/bin/bash"


def added(entries, name, entry):
    """A pod's volumes or mounts with one more, in either form that KubeSpawner takes."""
    if isinstance(entries, dict):
        return {**entries, name: entry}
    return [*(other for other in entries if other["name"] != name), entry]


def before_start(spawner):
    """Make a pod its account's. KeyError, and no pod, for who has been taken out."""
    people = {name: who["role"] for name, who in json.loads(ACCOUNTS.read_text()).items()}
    name = spawner.user.name
    role = people[name]
    spawner.uid = spawner.gid = own = number(name, role)
    # The home is made for this group once, and not gone through at each start.
    spawner.pod_security_context = {"fsGroup": own, "fsGroupChangePolicy": "OnRootMismatch"}
    # The instructor sees who handed in what, for nbgrader compares names with owners.
    shown = people if role == "instructor" else [name]
    lines = "\n".join(passwd(each, people[each]) for each in shown)
    spawner.environment = {**spawner.environment, "COURSE_PASSWD": lines}
    spawner.extra_labels = {**spawner.extra_labels, "course-role": role}
    if role != "instructor":
        return
    claim = {"name": "course", "persistentVolumeClaim": {"claimName": "course"}}
    mount = {"name": "course", "mountPath": "/srv/course"}
    spawner.volumes = added(spawner.volumes, "course", claim)
    spawner.volume_mounts = added(spawner.volume_mounts, "course", mount)
    spawner.notebook_dir = spawner.working_dir = "/srv/course"  # where nbgrader_config.py is
    # Formgrader is a page within JupyterLab's.
    allow = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
    spawner.args = [f"--ServerApp.tornado_settings={allow}"]


c.KubeSpawner.pre_spawn_hook = before_start
lti.configure(c, lti.parsed((SECRETS / "lti.json").read_text(), "lti.json"), ACCOUNTS)
