"""JupyterLab as one who looks at it and has a mouse and a keyboard."""

import re
from dataclasses import dataclass
from pathlib import Path

from labserver import Server
from playwright.sync_api import FrameLocator, Locator, Page, expect

RUN_SECONDS = 60
HAS_RUN = re.compile(r"\[\d+\]:")


@dataclass
class LabPage:
    """A browser page with JupyterLab in it."""

    page: Page
    server: Server
    pictures: Path

    def open(self, path: str) -> None:
        """Open a notebook, and wait until its cells are there and its kernel is ready."""
        self.page.goto(self.server.url(f"lab/tree/{path}") + "&reset")
        expect(self.page.locator(".jp-Notebook .jp-CodeCell").nth(1)).to_be_attached()
        expect(self.page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()

    def menu(self, *path: str) -> None:
        """Choose an entry of the menu bar: `menu("Run", "Run All Cells")`."""
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(path[0], exact=True).click()
        for name in path[1:]:
            self.page.locator(".lm-Menu-itemLabel:visible").get_by_text(name, exact=True).click()

    def cell(self, text: str) -> Locator:
        """The first code cell that has this text in it, scrolled into view."""
        cell = self.page.locator(".jp-CodeCell").filter(
            has=self.page.locator(".jp-InputArea-editor", has_text=text)
        )
        cell.first.scroll_into_view_if_needed()
        return cell.first

    def run_all(self) -> None:
        """Run all cells; wait until they have run, or one has stopped them."""
        self.menu("Run", "Run All Cells")
        expect(self.prompt(self.page.locator(".jp-CodeCell").first)).to_have_text(HAS_RUN)
        expect(self.page.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(
            0, timeout=RUN_SECONDS * 1000
        )

    def run(self, cell: Locator) -> Locator:
        """Run one cell from the keyboard; returns its outputs."""
        prompt = self.prompt(cell)
        before = prompt.inner_text()
        cell.locator(".cm-content").focus()
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(HAS_RUN, timeout=RUN_SECONDS * 1000)
        return cell.locator(".jp-OutputArea-output")

    def prompt(self, cell: Locator) -> Locator:
        """What stands in front of a cell: [ ], [*] or its number."""
        return cell.locator(".jp-InputPrompt").first

    def retype(self, cell: Locator, line: str, new: str) -> None:
        """Replace what stands in the cell's line that has `line` in it, but for the indentation."""
        cell.locator(".cm-line", has_text=line).click(position={"x": 60, "y": 5})
        self.page.keyboard.press("Home")
        self.page.keyboard.press("Shift+End")
        self.page.keyboard.type(new)
        expect(cell.locator(".cm-content")).to_contain_text(new)
        expect(cell.locator(".cm-content")).not_to_contain_text(line)

    def save(self) -> None:
        """Save the notebook from the keyboard."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)

    def formgrader(self) -> FrameLocator:
        """Open formgrader; returns the frame it lives in, with its assignments listed."""
        self.menu("Nbgrader", "Formgrader")
        frame = self.page.frame_locator("iframe[src*=formgrader]")
        expect(frame.locator("td.assign a").first).to_be_visible()
        return frame

    def picture(self, name: str, of: Locator | None = None) -> bytes:
        """Keep a screenshot of the page, or of a part of it, as an artefact of the test run."""
        return (of or self.page).screenshot(path=self.pictures / f"{name}.png")
