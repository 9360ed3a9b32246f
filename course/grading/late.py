"""What handing in late costs: nbgrader's plugin point for it, with the policies people expect."""

from __future__ import annotations

import math

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float


class LatePolicy(LateSubmissionPlugin):
    """Takes a share of the score off for each day begun, after some minutes of grace.

    Without settings it takes nothing. A student's extension (`course extend`) moves the deadline
    itself, so that what is late here is late after the extension.
    """

    grace_minutes = Float(0, help="So many minutes late cost nothing.").tag(config=True)
    per_day = Float(
        0, help="Share of the score taken off for each day begun after the deadline, 0 to 1."
    ).tag(config=True)
    most = Float(1, help="The largest share that is taken off, 0 to 1.").tag(config=True)

    def late_submission_penalty(
        self,
        student_id: str,  # noqa: ARG002 (nbgrader's signature)
        score: float,
        total_seconds_late: float,
    ) -> float | None:
        """Points taken off a notebook with `score` points, so many seconds late; None for none."""
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        days = math.ceil(total_seconds_late / 86_400)
        return score * min(self.per_day * days, self.most)
