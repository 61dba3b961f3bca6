"""Run a module of zoo in a process of its own, for frameworks that a process can have only once."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.core.errors import UnavailableError, UsageError

log = logging.getLogger(__name__)


def run_module(module: str, arguments: Sequence[str], failure: str, remedy: str, **environment: str) -> None:
    """Run ``python -m module``, of which nothing reaches the terminal.

    Args:
        module: its last line on standard error says what went wrong.
        arguments: of the command line.
        failure: the beginning of the sentence of an error, such as "resnet50 cannot be compiled".
        remedy: its end, such as "use --engine keras".
        **environment: further environment variables.

    Raises:
        UsageError: the module ended with the status of a usage error.
        UnavailableError: it failed otherwise.
    """
    # The child finds zoo where this process found it, also in a checkout that is not installed.
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode == 0:
        return
    log.debug("%s", done.stderr)
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    reason = lines[-1] if lines else f"the process ended with status {done.returncode}"
    if done.returncode == UsageError.exit_status:
        raise UsageError(reason)
    raise UnavailableError(f"{failure}: {reason}; {remedy}.")
