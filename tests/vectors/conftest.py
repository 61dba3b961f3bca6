"""Nothing here survives a power cut, and needs not: the tests do not wait for the disk."""

import os

import pytest


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
