"""A Ray cluster: connecting to one, or starting one on this machine, and its resources."""

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

#: Processors of a task at most; more are better used by several processes.
MAX_CPUS = 8
#: Bytes of the object store of a cluster on this machine; Ray accepts no less.
OBJECT_STORE = 80 << 20
#: Seconds to wait for a cluster to answer.
_TIMEOUT = 10
#: Characters of the temporary folder that leave room for the names of Ray's sockets, which are limited.
_SHORT = 20


def load() -> Any:
    """The package ``ray``."""
    # Ray prints the fate of its processes on standard output, except what matches this, which it reads now.
    with _environment({"RAY_DEDUP_LOGS_SKIP_REGEX": os.environ.get("RAY_DEDUP_LOGS_SKIP_REGEX", ".")}):
        try:
            import ray
        except ImportError as error:
            raise UnavailableError(
                "--runner ray needs the package ray; pip install 'keras-zoo[ray]' installs it."
            ) from error
    return ray


@contextlib.contextmanager
def connected(ray: Any, address: str | None) -> Iterator[None]:
    """A connection to a cluster; an existing connection is used and kept."""
    if ray.is_initialized():
        yield
        return
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    with contextlib.ExitStack() as closing:
        if address is None:
            settings |= closing.enter_context(_local_cluster())
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
    """The error message for a cluster that is unavailable."""
    reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().splitlines()[0]
    if address is None:
        return f"Ray does not start on this machine: {reason.rstrip('.')}; --runner local needs none."
    if address == "auto":
        return "There is no Ray cluster on this machine; 'ray start' starts one, and --address HOST:PORT names another."
    return f"There is no Ray cluster at {address}: {reason.rstrip('.').lower()}."


def _reach(address: str) -> None:
    """Raise an OSError if nothing answers, for which Ray would wait some minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT).close()


@contextlib.contextmanager
def _local_cluster() -> Iterator[dict[str, Any]]:
    """Ray's settings for a cluster of this machine alone, of which nothing is left afterwards."""
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
            "object_store_memory": OBJECT_STORE,
            "_temp_dir": sessions,
        }


@contextlib.contextmanager
def _environment(values: Mapping[str, str], *changed: str) -> Iterator[None]:
    """Set environment variables for a time, and restore them and those that others have ``changed``."""
    before = {name: os.environ.get(name) for name in (*values, *changed)}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def default_cpus(ray: Any) -> int:
    """The greatest number up to :data:`MAX_CPUS` that divides the processors of every machine."""
    cpus = [int(resources.get("CPU", 0)) for resources in _machines(ray)]
    divisor = math.gcd(*cpus) or 1
    return max(number for number in range(1, MAX_CPUS + 1) if divisor % number == 0)


def slots(ray: Any, cpus: int, gpus: int) -> int:
    """Tasks that the cluster, as it is now, can run at a time if it has nothing else to do."""
    return sum(
        int(min(resources.get("CPU", 0) // cpus, resources.get("GPU", 0) // gpus if gpus else math.inf))
        for resources in _machines(ray)
    )


def describe(ray: Any, cpus: int) -> str:
    """The machines that can run a task of so many processors, in a few words."""
    machines = [resources for resources in _machines(ray) if resources.get("CPU", 0) >= cpus]
    plural = "" if len(machines) == 1 else "s"
    total = sum(resources["CPU"] for resources in machines)
    return f"on {len(machines)} machine{plural}; processors: {total:.0f}, for each shard {cpus}"


def _machines(ray: Any) -> list[dict[str, float]]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]
