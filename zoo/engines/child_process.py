"""Run a function of zoo in a process of its own, for frameworks that a process can have only once."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.core.errors import UnavailableError, UsageError, ZooError

log = logging.getLogger(__name__)


def run_module(
    module: str, arguments: dict[str, Any], *, failure: str, remedy: str, environment: dict[str, str] | None = None
) -> None:
    """Run a module that ends with :func:`main`; nothing of it reaches the terminal.

    Args:
        module: its dotted name.
        arguments: of its function, as values that JSON has.
        failure: the beginning of the error message, such as "resnet50 cannot be compiled".
        remedy: its end, such as "use --engine keras".
        environment: further environment variables.

    Raises:
        UsageError: as the function raised it.
        UnavailableError: it failed otherwise.
    """
    # The child finds zoo where this process found it, also in a checkout that is not installed.
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(arguments)],
        env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": path, **(environment or {})},
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


def main(function: Callable[..., None]) -> int:
    """Call a function with the arguments of :func:`run_module`; an error is the last line of standard error."""
    logging.disable(logging.WARNING)
    try:
        function(**json.loads(sys.argv[1]))
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0
