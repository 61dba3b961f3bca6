"""Time that does not depend on the machine."""

from __future__ import annotations

import itertools

import pytest

from zoo.training import clock


@pytest.fixture
def ticking(monkeypatch):
    """A clock that goes on by a hundredth of a second whenever it is read, however busy the machine is."""
    ticks = itertools.count()
    monkeypatch.setattr(clock, "now", lambda: next(ticks) / 100)
