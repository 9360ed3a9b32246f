"""Fixtures of the widgets' tests."""

import pytest

from course.widgets.panel import Panel


@pytest.fixture(autouse=True)
def nobody_has_looked(monkeypatch):
    """No browser has told yet how it looks at panels: they begin on light paper."""
    monkeypatch.setattr(Panel, "last_view", Panel.last_view)
