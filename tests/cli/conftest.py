"""Commands run within the tests' own process, where one of its own proves nothing more."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from zoo.cli import main


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """As the fixture ``zoo``, without a process."""

    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        # The log goes to the standard error of the first run otherwise.
        logging.getLogger("zoo").handlers.clear()
        done = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="zoo")
        logging.getLogger("zoo").handlers.clear()
        return SimpleNamespace(returncode=done.exit_code, stdout=done.stdout_bytes, stderr=done.stderr_bytes)

    return run
