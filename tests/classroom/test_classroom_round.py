"""The whole round by real browsers: three students, one of them curious, and an instructor."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import psutil
import pytest
from labpage import LabPage
from playwright.sync_api import Browser, FrameLocator, Locator, expect
from room import Room

pytestmark = pytest.mark.xdist_group("classroom")
NAME = "01_activations"
RIGHT = "return g(x @ w + b)"
OWN = "what is one's own"
# What a student tries in a terminal; {victim} is another. Each but the first is to fail.
TRIES = {
    OWN: "cat ~/snoop.sh",
    "another's home": "cat {homes}/{victim}/{name}/{name}.ipynb",
    "the list of homes": "ls {homes}",
    "what is handed in": "ls {inbound}",
    "another's submission": "cat '{submission}/{name}.ipynb'",
    "over another's submission": "cp ~/empty '{submission}/{name}.ipynb'",
    "another's submission away": "mv '{submission}' ~/",
    "the list of feedback": "ls {feedback}",
    "an assignment of their own": "mkdir {outbound}/extra",
    "over an assignment": "cp ~/empty {outbound}/{name}/{name}.ipynb",
    "the gradebook": "cat {course}/gradebook.db",
    "the lessons": "cat {course}/lessons/{name}.py",
    "the operator's lessons": "ls {root}/lessons",
    "the operator's solutions": "ls {root}/source",
    "the settings of the hub": "ls {hub}",
    "the repository's solutions": "ls {repository}/source",
    "to be root": "sudo -n true",
    "another's processes": "ps -u {victim} -o args= | grep .",
    "all processes there are": "test $(ulimit -u) = unlimited || test $(ulimit -u) -gt 1000",
    "any hidden test": "grep -rlI --include=*.ipynb 'BEGIN HIDDEN' {root} {room} {repository}",
}


@pytest.fixture
def enter(room: Room, browser: Browser, pictures: Path) -> Callable[..., list[LabPage]]:
    """Lets people log in, all at once; gives each one's page, with JupyterLab in it."""

    def log_in(*accounts: str) -> list[LabPage]:
        labs = []
        for account in accounts:
            page = browser.new_context().new_page()
            page.set_default_timeout(60_000)
            page.set_viewport_size({"width": 1500, "height": 900})
            page.goto(room.address)
            page.fill("#username_input", account)
            page.fill("#password_input", room.passwords[account])
            page.click("#login_submit", no_wait_after=True)
            labs.append(LabPage(page, room.seat(account), pictures))
        for lab in labs:
            expect(lab.page.locator(".jp-Launcher")).to_be_visible(timeout=120_000)
        return labs

    return log_in


def test_a_class_hands_in_and_gets_its_feedback_and_sees_no_more_than_it_may(
    room: Room, enter: Callable[..., list[LabPage]]
):
    penalties(room)
    room.start("--release", NAME)
    deadline_passed(room)

    ada, emmy, sofia = enter(*room.people)
    for lab in (ada, emmy, sofia):
        expect(lab.page.get_by_text("news about Jupyter")).to_have_count(0)
        fetch(lab)

    solve(emmy)
    submit(emmy, 1)  # late
    work(ada)
    # Of its five channels none; what is left only takes in what the kernel's own children print.
    assert len(kernels_listen("ada")) <= 1
    submit(ada, 1)
    solve(ada)
    submit(ada, 2)
    terminal(sofia, f"printf broken > {NAME}/{NAME}.ipynb; echo done > broken", "broken")
    submit(sofia, 1)
    assert len(room.submissions()) == 4
    snoop(room, sofia, victim="ada")
    snoop_in_a_notebook(room, sofia, victim="ada")

    (teacher,) = enter("instructor")
    assert "frame-ancestors 'self'" in frames(teacher)
    assert "frame-ancestors 'none'" in frames(ada)
    formgrader = teacher.formgrader()
    teacher.picture("classroom-formgrader")
    grade(teacher, formgrader)
    press(formgrader, "generate-feedback", "Successfully generated feedback")
    press(formgrader, "release-feedback", "Successfully released feedback")

    late = "0.5 of 22 points, 0.5 of them taken off for being late"
    points = {"ada": "1 of 22 points", "emmy": late, "sofia": "0 of 22 points"}
    for lab, account in zip((ada, emmy, sofia), room.people, strict=True):
        read_feedback(lab, points[account])


def penalties(room: Room) -> None:
    """Half of the points for each day that something is late."""
    config = room.root / "nbgrader_config.py"
    text = config.read_text().replace("per_day = 0.0", "per_day = 0.5")
    config.write_text(text)


def deadline_passed(room: Room) -> None:
    """The deadline was three hours ago; for ada it is extended."""
    due = datetime.now(UTC) - timedelta(hours=3)
    set_due = ["nbgrader", "db", "assignment", "add", NAME, f"--duedate={due:%Y-%m-%d %H:%M} UTC"]
    done = room.run_as("instructor", *set_due, "--CourseDirectory.root=.")
    assert done.returncode == 0, done.stderr
    done = room.course("extend", NAME, "ada", "--days", "2")
    assert f"ada may hand in {NAME} until" in done.stdout, done.stderr


def fetch(lab: LabPage) -> None:
    """Fetch the assignment by the button of the list."""
    lab.menu("Nbgrader", "Assignment List")
    lab.page.get_by_role("button", name="Fetch", exact=True).click()
    expect(lab.page.get_by_role("button", name="Submit")).to_be_visible()


def solve(lab: LabPage) -> None:
    """Write the right answer into the notebook, as if all of it had been typed."""
    notebook = lab.server.home / NAME / f"{NAME}.ipynb"
    stub = r'raise NotImplementedError\(\\"neuron: .*?\\"\)|return g\(x @ w\)'
    text, stubs = re.subn(stub, RIGHT, notebook.read_text())
    assert stubs == 1
    notebook.write_text(text)


def work(lab: LabPage) -> None:
    """Write a wrong answer in the notebook, run it, read what the check says, save and validate."""
    lab.open(f"{NAME}/{NAME}.ipynb")
    lab.run(lab.cell("import torch.nn.functional"))
    answer, test = lab.cell("def neuron("), lab.cell("neuron(x, w, -1.0")
    lab.retype(answer, "raise NotImplementedError", "return g(x @ w)")
    assert lab.run(answer).count() == 0
    expect(lab.run(test)).to_contain_text("by hand, the first row", ignore_case=True)
    lab.save()
    lab.page.get_by_role("button", name="Validate").click()
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("The following cell failed")
    lab.picture("classroom-validate")
    dialog.get_by_role("button").last.click()
    lab.page.goto(lab.server.url("lab") + "&reset")
    lab.menu("Nbgrader", "Assignment List")


def kernels_listen(account: str) -> list[object]:
    """The ports on which somebody's kernels listen: any user of the machine could hear them."""
    found = [
        process
        for process in psutil.process_iter(["username", "cmdline"])
        if process.info["username"] == account and "ipykernel" in str(process.info["cmdline"])
    ]
    assert found
    open_to_all = [c for process in found for c in process.net_connections("tcp")]
    return [c for c in open_to_all if c.status == psutil.CONN_LISTEN]


def frames(lab: LabPage) -> str:
    """Which pages somebody's server lets be put into frames."""
    return lab.page.request.get(lab.server.url("lab")).headers["content-security-policy"]


def submit(lab: LabPage, times: int) -> None:
    """Hand in by the button of the list, and see that it is on it so many times."""
    lab.page.get_by_role("button", name="Submit").click()
    expect(lab.page.locator("#submitted_assignments_list")).to_contain_text(NAME)
    home = lab.server.home / ".local/share/jupyter/nbgrader_cache"
    wait_for(lambda: len([*home.glob("*/*")]) == times)


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds. Fails where it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def terminal(lab: LabPage, command: str, written: str) -> str:
    """Type a command into a terminal, wait for the file it writes at the end; returns its text."""
    path = lab.server.home / written
    lab.menu("File", "New", "Terminal")
    screen = lab.page.locator(".jp-Terminal:visible")
    expect(screen.locator(".xterm-rows, canvas").first).to_be_visible()
    screen.click()
    lab.page.keyboard.type(command + "\n")
    wait_for(path.exists)
    lab.page.get_by_role("tab", name="Terminal").locator(
        ".jp-icon-hover, .lm-TabBar-tabCloseIcon"
    ).first.click()
    return path.read_text()


def snoop(room: Room, lab: LabPage, victim: str) -> None:
    """Try in a terminal to read and to overwrite what is others'."""
    exchange = room.inbound.parent
    places = {
        "homes": room.folders.homes, "room": room.folders.root, "course": room.folders.course,
        "hub": room.folders.hub, "root": room.root, "inbound": room.inbound, "name": NAME,
        "feedback": exchange / "feedback", "outbound": exchange / "outbound", "victim": victim,
        "repository": Path(__file__).parents[2],
        "submission": next(room.inbound.glob(f"{victim}+*")),
    }  # fmt: skip
    lines = ["touch ~/empty"]
    for what, line in TRIES.items():
        lines.append(f'if {line.format(**places)} >>~/said 2>&1; then echo "{what}" >>~/seen; fi')
    lines.append("id -un > ~/tried")
    script = lab.server.home / "snoop.sh"
    script.write_text("\n".join(lines))
    before = room.submissions()
    assert terminal(lab, "bash ~/snoop.sh", "tried").strip() == lab.server.account
    assert (lab.server.home / "seen").read_text().splitlines() == [OWN]
    assert room.submissions() == before


def snoop_in_a_notebook(room: Room, lab: LabPage, victim: str) -> None:
    """Try in a notebook to read another's work and the hidden tests; one's own can be read."""
    paths = [
        lab.server.home / "snoop.sh",
        room.folders.homes / victim / NAME / f"{NAME}.ipynb",
        next(room.inbound.glob(f"{victim}+*")) / f"{NAME}.ipynb",
        room.folders.course / "source" / NAME / f"{NAME}.ipynb",
        room.root / "lessons" / f"{NAME}.py",
    ]
    assert all(path.is_file() for path in paths)
    code = f"""
import os
for path in {[str(path) for path in paths]}:
    try:
        print(len(open(path).read()) and "read")
    except OSError as problem:
        print(type(problem).__name__)
"""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    new = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    new.cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("1")]
    nbformat.write(new, lab.server.home / "snoop.ipynb")
    (lab.server.home / "snoop.ipynb").chmod(0o666)
    lab.open("snoop.ipynb")
    said = lab.run(lab.cell("import os")).inner_text().split()
    assert said[0] == "read"
    assert said[1:] == ["PermissionError"] * 3 + ["FileNotFoundError"]


def grade(lab: LabPage, formgrader: FrameLocator) -> None:
    """Collect, and autograde each submission."""
    press(formgrader, "collect", "Successfully collected")
    row = formgrader.locator("tr", has=formgrader.locator("td.name", has_text=NAME))
    expect(row.locator("td.num-submissions")).to_have_text("3")
    row.get_by_role("link", name="3", exact=True).click()
    scores = {"ada": "1 / 22", "emmy": "1 / 22", "sofia": "0 / 22"}
    for account, score in scores.items():
        line = formgrader.locator("tr", has=formgrader.locator("td.student-id", has_text=account))
        press(formgrader, "autograde", "Successfully autograded", line)
        expect(line.locator("td.score")).to_have_text(score)
    lab.picture("classroom-submissions")
    formgrader.get_by_role("link", name="Manage Assignments").click()


def press(frame: FrameLocator, action: str, wanted: str, row: Locator | None = None) -> None:
    """Press formgrader's button in a column, read that it went well, and close the message."""
    row = row or frame.locator("tr", has=frame.locator("td.name", has_text=NAME))
    row.locator(f"td.{action} a").click()
    message = frame.locator(".modal.in")
    expect(message).to_be_visible(timeout=120_000)
    assert wanted in message.inner_text()
    message.get_by_role("button", name="OK").click()
    expect(frame.locator(".modal, .modal-backdrop")).to_have_count(0)


def read_feedback(lab: LabPage, points: str) -> None:
    """Fetch the feedback by the button of the list, and read the page."""
    lab.page.goto(lab.server.url("lab") + "&reset")
    lab.menu("Nbgrader", "Assignment List")
    button = lab.page.get_by_role("button", name="Fetch Feedback")
    expect(button.first).to_be_visible()
    lab.picture("classroom-feedback-list")
    for found in button.all():
        found.click()
    pages = lab.server.home / NAME / "feedback"
    wait_for(lambda: any(pages.glob("*/*.html")))
    (page,) = pages.glob("*/*.html")
    lab.page.goto(lab.server.url(f"files/{page.relative_to(lab.server.home)}"))
    expect(lab.page.locator("body")).to_contain_text(points)
