"""Make `.venv`, or bring it up to date: `python3 tools/make_venv.py [EXTRA ...]`.

What is installed comes from `pyproject.toml`, in the versions of `requirements.lock`. A stamp in
`.venv` says what it was made from, so that a second run ends at once and needs no network; one
whose installation was cut off is made anew. Standard library only, and readable by Python 3.6, so
that an old Python gets a sentence and not a syntax error.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import Any, Dict, List, Optional, Tuple

from machine import Stop, apt_install, run_to_end, say
from pip_run import pip_install
from proxy import LOCK as PROXY_LOCK
from proxy import install_proxy

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "course.json")
OLDEST, NEWEST = (3, 11), (3, 14)  # what torch is built for
NEEDED_GB = 2.5  # .venv with the CPU build of torch (1.6 GB), and what pip unpacks on the way

# What Jupyter knows the kernels by that submissions are graded in.
KERNELSPEC = os.path.join(ROOT, "course", "grading", "warm", "kernelspec")
KERNEL_NAME = "course-graded"

PROBE = """
import sys
print(sys.version_info[0], sys.version_info[1])
import ensurepip, venv
print("venv")
"""


def wanted(extras: List[str]) -> Dict[str, Any]:
    """What a `.venv` for `extras` is made from, as its stamp has it."""
    digest = hashlib.sha256()
    for path in (os.path.join(ROOT, "requirements.lock"), PROXY_LOCK):
        with open(path, "rb") as lock:
            digest.update(lock.read())
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as project:
        tool_settings = False
        for line in project:
            if line.startswith(b"["):
                tool_settings = line.startswith((b"[tool.ruff", b"[tool.mypy", b"[tool.pytest"))
                tool_settings = tool_settings or line.startswith(b"[[tool.mypy")
            if not tool_settings:  # changing how we check must not need the network
                digest.update(line)
    torch_index = os.environ.get("TORCH_INDEX") or None
    return stamp(digest.hexdigest(), extras, torch_index)


def stamp(digest: str, extras: List[str], torch_index: Optional[str] = None) -> Dict[str, Any]:
    """What stands in a stamp; the folder too, since scripts in .venv/bin know where they lie."""
    return {
        "digest": digest,
        "extras": sorted(extras),
        "torch_index": torch_index,
        "folder": ROOT,
    }


def read_stamp() -> Optional[Dict[str, Any]]:
    """The stamp of the `.venv` that is there; None without one, or where it can't be read."""
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def write_stamp(content: Dict[str, Any]) -> None:
    """Write the stamp in one step: a stamp that can be read is whole."""
    with open(STAMP + ".new", "w") as file:
        json.dump(content, file)
    os.replace(STAMP + ".new", STAMP)


def is_ready(found: Optional[Dict[str, Any]], want: Dict[str, Any]) -> bool:
    """Whether a `.venv` with this stamp serves."""
    return (
        found is not None
        and found["digest"] == want["digest"]
        and found["folder"] == ROOT
        and set(found["extras"]) >= set(want["extras"])
        and want["torch_index"] in (None, found["torch_index"])
        and os.path.exists(os.path.join(VENV, "bin", "python"))  # its Python may have been removed
    )


def what_is_wrong(found: Optional[Dict[str, Any]]) -> str:
    """Why the `.venv` with this stamp has to be made anew; "" for none there, or a sound one."""
    if found is None:
        if os.path.isdir(VENV) and os.listdir(VENV):
            raise Stop("There is a .venv that set-up did not make: move it away and start again.")
        return ""
    if found["digest"] == "cut off":
        return "The last set-up was cut off half-way."
    if found["folder"] != ROOT:
        return "The course has moved since .venv was made."
    if not os.path.exists(os.path.join(VENV, "bin", "python")):
        return "The Python that .venv was made with is gone."
    return ""


def probe(executable: str) -> Tuple[Tuple[int, ...], bool]:
    """The version of a Python as (major, minor), and whether it can make a venv with pip in it."""
    try:
        out = subprocess.check_output([executable, "-c", PROBE], stderr=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        out = error.output
    except OSError:
        out = b""
    words = out.split()
    return (tuple(int(word) for word in words[:2]), words[2:] == [b"venv"])


def find_python() -> str:
    """The path of a Python that serves and can make a venv: ours, else the first on PATH."""
    names = ["python3.%d" % minor for minor in range(OLDEST[1], NEWEST[1] + 1)]
    found = [path for path in [sys.executable] + [shutil.which(name) for name in names] if path]
    probed = [(path, *probe(path)) for path in found]
    fit = [(path, version, whole) for path, version, whole in probed if OLDEST <= version <= NEWEST]
    if not fit:
        raise Stop(
            "The course needs Python %d.%d to %d.%d, and %s is Python %d.%d: install another and "
            "start again with `make PYTHON=/path/to/python3 ...`."
            % (OLDEST + NEWEST + (sys.executable,) + sys.version_info[:2])
        )
    for path, _, whole in fit:
        if whole:
            return path
    path, version, _ = fit[0]
    package = "python%d.%d-venv" % version
    if apt_install(package) and probe(path)[1]:
        return path
    raise Stop(
        "%s cannot make virtual environments: install what it lacks with "
        "`sudo apt-get install %s`, and start again." % (path, package)
    )


def check_disk() -> None:
    """Stop where `.venv` would not fit."""
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if free_gb < NEEDED_GB:
        raise Stop(
            "The disk is full: set-up needs %.1f GB, and %.1f GB are free where %s lies."
            % (NEEDED_GB, free_gb, ROOT)
        )


def create(python: str) -> Dict[str, Any]:
    """Make a `.venv` with nothing in it but pip; return the stamp that says so."""
    os.makedirs(VENV, exist_ok=True)
    write_stamp(stamp("cut off", []))
    made = subprocess.run(
        [python, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if made.returncode:
        shutil.rmtree(VENV)
        raise Stop(
            "%s could not make .venv: %s" % (python, made.stdout.decode(errors="replace").strip())
        )
    write_stamp(stamp("empty", []))
    return stamp("empty", [])


def install_kernelspec(extras: List[str]) -> None:
    """Have Jupyter find the graders' kernel in `.venv`; a student's has none."""
    if "instructor" in extras and os.path.isdir(KERNELSPEC):
        target = os.path.join(VENV, "share", "jupyter", "kernels", KERNEL_NAME)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(KERNELSPEC, target)


def main() -> None:
    """Bring `.venv` up to date for the extras named on the command line."""
    want = wanted(sys.argv[1:])
    if is_ready(read_stamp(), want):
        return
    with open(os.path.join(ROOT, "pyproject.toml")) as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)  # two starts at once: the second waits
        found = read_stamp()
        if is_ready(found, want):
            return
        trouble = what_is_wrong(found)
        if trouble:
            say(trouble + " Starting afresh.")
            shutil.rmtree(VENV)
            found = None
        if found is None:
            python = find_python()
            check_disk()
            say("Setting up .venv with %s. This takes a few minutes, once." % python)
            found = create(python)
        want["extras"] = sorted(set(want["extras"]) | set(found["extras"]))
        want["torch_index"] = want["torch_index"] or found["torch_index"]
        cut_off = dict(found, digest="cut off")
        pip_install(ROOT, VENV, want, before_changes=lambda: write_stamp(cut_off))
        install_kernelspec(want["extras"])
        if "classroom" in want["extras"]:
            install_proxy(VENV)
        write_stamp(want)
        say("Set-up is complete.")


if __name__ == "__main__":
    run_to_end(main)
