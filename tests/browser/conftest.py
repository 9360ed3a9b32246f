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
from playwright.sync_api import BrowserContext, Page, Request, WebSocket, expect, sync_playwright

FLAGS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other host can be reached
    # and nothing of Chromium's own that would ask for one
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMEOUT = 30_000  # milliseconds; generous, for the machine may be laden
OURS = re.compile(r"^(http|ws)://127\.0\.0\.1:|^(data|blob|about):")


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
def context(root: Path) -> Iterator[BrowserContext]:
    """A headless Chromium. For one module: its event loop is in the way of other tests' kernels."""
    path = subprocess.check_output([sys.executable, root / "tools" / "browser.py"], text=True)
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path.strip(), args=FLAGS)
        context = browser.new_context()
        context.set_default_timeout(TIMEOUT)
        yield context
        browser.close()


@pytest.fixture
def lab(
    context: BrowserContext, server: Server, pictures: Path, request: pytest.FixtureRequest
) -> Iterator[LabPage]:
    """A page on the server. Fails where it asks another host for something, or reports an error.

    A test that fails leaves a picture in build/screenshots/.
    """
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    foreign, errors = watch(page)
    yield LabPage(page, server, pictures)
    if request.node.stash.get(FAILED, False) or foreign or errors:
        page.screenshot(path=pictures / f"failed-{request.node.name}.png")
    page.close()
    server.end_kernels()
    assert foreign == [], "asked other hosts"
    assert errors == [], "errors in the browser's console"


def watch(page: Page) -> tuple[list[str], list[str]]:
    """Lists that fill up with the addresses asked for on other hosts, and with errors."""
    foreign: list[str] = []
    errors: list[str] = []

    def asked(request: Request | WebSocket) -> None:
        if not OURS.match(request.url):
            foreign.append(request.url)

    page.on("request", asked)
    page.on("websocket", asked)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    return foreign, errors


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember for `lab` that the test failed."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report
