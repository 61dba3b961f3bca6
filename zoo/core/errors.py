"""The errors that zoo raises on purpose: each is one sentence and has an exit status."""

from __future__ import annotations


class ZooError(Exception):
    """Base class. ``str(error)`` says what was expected, where, what was received, and what to do."""

    #: Exit status of the command that meets this error.
    exit_status = 4


class UsageError(ZooError, ValueError):
    """A request that makes no sense: an unknown name, a value out of range, a wrong combination."""

    exit_status = 2


class GateError(ZooError):
    """A threshold that the caller stated (an accuracy, an agreement) was not met."""

    exit_status = 3


class UnavailableError(ZooError):
    """Something needed is unavailable: weights, network, device, memory, disk."""

    exit_status = 4


class WeightsError(UnavailableError):
    """Weights that cannot be found, downloaded or verified, or that do not fit the network."""


class ImageError(ZooError):
    """One image cannot be read; the message is the reason, without the path."""

    exit_status = 1


def describe_os_error(error: OSError | ValueError) -> str:
    """Why a file cannot be opened, in a few words and without its name."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a file"
    if isinstance(error, OSError):
        return f"cannot be opened: {(error.strerror or str(error)).lower()}"
    return f"not a valid file name: {error}"
