"""Open JupyterLab on the course: `python tools/lab.py [any of jupyter lab's own arguments]`.

Run by the Python in `.venv`. A student's copies of the released notebooks are put into `work/`
first; what is there already is left alone. Settings are those in `tools/jupyter/`: nbgrader's
extensions on (the course list, which needs a hub, off), no fetching of news, and jupytext's own
contents manager off, which could write answers into students' copies. Nothing is written into the
user's own Jupyter settings.
"""

import os
import shutil
import socket
import sys

from machine import Stop, run_to_end, say

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIRST_PORT = 8888


def copy_release() -> None:
    """Copy each released file that is missing from `work/`."""
    release = os.path.join(ROOT, "release")
    for folder, _, names in os.walk(release):
        target = os.path.join(ROOT, "work", os.path.relpath(folder, release))
        os.makedirs(target, exist_ok=True)
        for name in names:
            if not os.path.exists(os.path.join(target, name)):
                shutil.copy(os.path.join(folder, name), target)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Jupyter does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port() -> int:
    """$PORT, which must then be free; without it the first free port from 8888 on."""
    asked = os.environ.get("PORT")
    if asked:
        if not asked.isdigit() or not 0 < int(asked) < 65536:
            raise Stop("PORT=%s is not a port: give a number from 1024 to 65535." % asked)
        if not is_free(int(asked)):
            raise Stop(
                "Port %s is taken: another program listens there (an earlier `make lab`?). Stop "
                "it, or choose another port with `make lab PORT=...`." % asked
            )
        return int(asked)
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        if is_free(port):
            if port != FIRST_PORT:
                say("Port %d is taken (by another Jupyter?): using %d." % (FIRST_PORT, port))
            return port
    raise Stop("Ports %d to %d are taken: `make lab PORT=...` chooses one." % (FIRST_PORT, port))


def has_screen() -> bool:
    """Whether a browser could open here."""
    wanted = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER")
    return sys.platform != "linux" or any(os.environ.get(name) for name in wanted)


def main() -> None:
    """Get ready, then become JupyterLab."""
    port = choose_port()
    copy_release()
    programs = os.path.join(ROOT, ".venv", "bin")
    # nbgrader runs a bare `alembic`.
    os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]
    # ROOT: nbgrader's assignment list looks for nbgrader_config.py from within work/.
    settings = [os.path.join(ROOT, "tools", "jupyter"), ROOT, os.environ.get("JUPYTER_CONFIG_PATH")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, settings))
    command = [
        os.path.join(programs, "jupyter-lab"),
        "--ServerApp.root_dir=" + ROOT,
        "--ServerApp.port=%d" % port,
        "--LabApp.default_url=/lab/tree/work",
    ]
    if os.geteuid() == 0:
        command.append("--allow-root")
    if not has_screen():
        command.append("--no-browser")
    os.chdir(ROOT)  # nbgrader reads nbgrader_config.py from here
    os.execv(command[0], command + sys.argv[1:])


if __name__ == "__main__":
    run_to_end(main)
