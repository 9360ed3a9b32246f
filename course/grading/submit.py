"""What `nbgrader submit` refuses, while the student can still do something about it."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange.default import ExchangeSubmit


class Submit(ExchangeSubmit):
    """nbgrader's own `submit`, for folders that have a notebook in them and can be copied."""

    def init_src(self) -> None:
        """Find the folder to submit. Fails with a sentence where it can't be one."""
        super().init_src()
        folder = Path(self.src_path)
        if not list(folder.glob("*.ipynb")):
            self.fail(
                f"There is no notebook in {folder}, so nothing was submitted. Put yours there, and "
                "submit again."
            )
        limit = 1000 * self.coursedir.max_dir_size
        if (size := self.get_size(folder)) > limit:
            self.fail(
                f"{folder} holds {size / 1e6:.0f} MB, more than the {limit / 1e6:.0f} MB that may "
                "be handed in, so nothing was submitted. Take out what is not part of your answers."
            )
