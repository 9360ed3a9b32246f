"""Fixtures of the browser tests: a server for each module, and pages that nothing gets past."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import labserver
import pytest
from labpage import LabPage
from labserver import Server
from playwright.sync_api import Browser, BrowserContext, Request, WebSocket, expect, sync_playwright

# Nothing of Chromium's own in the network; no sandbox, for root has none.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
TIMEOUT = 30_000  # milliseconds; generous, for the machine may be laden
OURS = re.compile(r"^(http|ws)://127\.0\.0\.1:|^(data|blob|about):")
# What JupyterLab itself writes to the console as an error, and cannot be helped from here.
NOT_OURS = re.compile(r"^$")


@pytest.fixture(scope="session")
def pictures(root: Path) -> Path:
    """Where the test run's screenshots are kept."""
    folder = root / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, copy_course: Callable[[Path], Path]
) -> Iterator[Server]:
    """A JupyterLab on a copy of the course."""
    folder = tmp_path_factory.mktemp("lab")
    server, process = labserver.start(copy_course(folder / "course"))
    yield server
    labserver.stop(process)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser(root: Path) -> Iterator[Browser]:
    """A headless Chromium. For a module only: its event loop is in the way of other tests' kernels."""
    path = subprocess.check_output([sys.executable, root / "tools" / "browser.py"], text=True)
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path.strip(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def lab(
    browser: Browser, server: Server, pictures: Path, request: pytest.FixtureRequest
) -> Iterator[LabPage]:
    """A page on the server. Fails where it asks another host for something, or reports an error.

    A failed test leaves a picture and a trace (for `playwright show-trace`) in build/screenshots/.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT)
    foreign, errors = watch(context)
    context.tracing.start(screenshots=True, snapshots=True)
    page = context.new_page()
    yield LabPage(page, server, pictures)
    name = f"failed-{request.node.name}"
    if request.node.stash.get(FAILED, False) or foreign or errors:
        page.screenshot(path=pictures / f"{name}.png")
        context.tracing.stop(path=pictures / f"{name}.zip")
    context.close()
    server.end_kernels()
    assert foreign == [], "asked other hosts"
    assert errors == [], "errors in the browser's console"


def watch(context: BrowserContext) -> tuple[list[str], list[str]]:
    """Lists that fill up with requests to other hosts, which are stopped, and with errors."""
    foreign: list[str] = []
    errors: list[str] = []

    def asked(request: Request | WebSocket) -> None:
        if not OURS.match(request.url):
            foreign.append(request.url)

    context.on("request", asked)
    context.on("page", lambda page: page.on("websocket", asked))
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on(
        "console",
        lambda said: (
            errors.append(said.text)
            if said.type == "error" and not NOT_OURS.search(said.text)
            else None
        ),
    )
    context.route(lambda url: not OURS.match(url), lambda route: route.abort())
    return foreign, errors


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember for `lab` that the test failed."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report
