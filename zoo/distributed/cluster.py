"""A Ray cluster: connecting to one, or being one, and what it has."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from zoo.core.errors import UnavailableError
from zoo.core.hardware import processors
from zoo.core.stderr import quiet_stderr

log = logging.getLogger(__name__)

#: Processors of a task at most; more than that are kept busy better by several processes.
MOST_CPUS = 8
#: Bytes for what the processes of this machine pass on, when they are a cluster of their own; Ray takes no less.
STORE = 80 << 20
#: Seconds to wait for a cluster to answer.
_PATIENCE = 10
#: Characters of the folder for temporary files that leave room for Ray's sockets, whose names are limited.
_SHORT = 20


def load() -> Any:
    """The package ``ray``.

    Raises:
        UnavailableError: it is not installed.
    """
    # Ray prints what becomes of its processes on standard output, except what matches this, which it reads now.
    with _environment({"RAY_DEDUP_LOGS_SKIP_REGEX": os.environ.get("RAY_DEDUP_LOGS_SKIP_REGEX", ".")}):
        try:
            import ray
        except ImportError as error:
            raise UnavailableError(
                "--runner ray needs the package ray; pip install 'keras-zoo[ray]' brings it."
            ) from error
    return ray


@contextlib.contextmanager
def connected(ray: Any, address: str | None) -> Iterator[None]:
    """A connection to a cluster; whoever has one already keeps it.

    Args:
        ray: the package.
        address: of the cluster, as Ray has it; without, this machine alone is one.

    Raises:
        UnavailableError: there is no such cluster, or none can be started here.
    """
    if ray.is_initialized():
        yield
        return
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    with contextlib.ExitStack() as closing:
        if address is None:
            settings |= closing.enter_context(_alone())
        else:
            settings["address"] = address
        closing.callback(ray.shutdown)
        try:
            if address is not None:
                _reach(address)
            with quiet_stderr():
                ray.init(**settings)
        except (OSError, RuntimeError, ValueError, AssertionError, ray.exceptions.RayError) as error:
            raise UnavailableError(_no_cluster(address, error)) from error
        yield


def _no_cluster(address: str | None, error: BaseException) -> str:
    """The sentence for a cluster that is not to be had."""
    reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().splitlines()[0]
    if address is None:
        return f"Ray does not start on this machine: {reason.rstrip('.')}; --runner local needs none."
    if address == "auto":
        return "There is no Ray cluster on this machine; 'ray start' makes one, and --address HOST:PORT names another."
    return f"There is no Ray cluster at {address}: {reason.rstrip('.').lower()}."


def _reach(address: str) -> None:
    """See that something answers, for which Ray would wait some minutes; raises an OSError where nothing does."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


@contextlib.contextmanager
def _alone() -> Iterator[dict[str, Any]]:
    """What Ray is told to be a cluster of this machine alone, of which nothing is left afterwards."""
    settings = {"RAY_USAGE_STATS_ENABLED": "0"}
    if "RAY_AUTH_TOKEN" not in os.environ:
        # Ray would make such a password itself, and leave it in the home folder.
        settings["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    folder = tempfile.gettempdir()
    if len(folder) > _SHORT and os.path.isdir("/tmp"):
        folder = "/tmp"
    with (
        tempfile.TemporaryDirectory(prefix="zoo-ray-", dir=folder, ignore_cleanup_errors=True) as sessions,
        _environment(settings, "RAY_AUTH_MODE"),
    ):
        yield {
            "address": "local",
            "num_cpus": processors(),
            "include_dashboard": False,
            "object_store_memory": STORE,
            "_temp_dir": sessions,
        }


@contextlib.contextmanager
def _environment(values: Mapping[str, str], *changed: str) -> Iterator[None]:
    """Environment variables for a time; afterwards they, and those that others have ``changed``, are as they were."""
    before = {name: os.environ.get(name) for name in (*values, *changed)}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def usual_cpus(ray: Any) -> int:
    """The greatest number up to :data:`MOST_CPUS` that divides the processors of every machine."""
    cpus = [int(resources.get("CPU", 0)) for resources in _machines(ray)]
    divisor = math.gcd(*cpus) or 1
    return max(number for number in range(1, MOST_CPUS + 1) if divisor % number == 0)


def slots(ray: Any, cpus: int, gpus: int) -> int:
    """Tasks that the cluster, as it is now, can run at a time if it has nothing else to do."""
    return sum(
        int(min(resources.get("CPU", 0) // cpus, resources.get("GPU", 0) // gpus if gpus else math.inf))
        for resources in _machines(ray)
    )


def described(ray: Any, cpus: int) -> str:
    """The machines on which a task of so many processors can run, in a few words."""
    machines = [resources for resources in _machines(ray) if resources.get("CPU", 0) >= cpus]
    plural = "" if len(machines) == 1 else "s"
    total = sum(resources["CPU"] for resources in machines)
    return f"on {len(machines)} machine{plural}; processors: {total:.0f}, for each shard {cpus}"


def _machines(ray: Any) -> list[dict[str, float]]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]
