"""The errors that zoo raises on purpose: each is one sentence, and knows the exit status it deserves."""

from __future__ import annotations


class ZooError(Exception):
    """Base of every deliberate error. ``str(error)`` says what is wrong, where, and what to do."""

    #: Exit status of the command that meets this error.
    exit_status = 4


class UsageError(ZooError, ValueError):
    """What was asked makes no sense: an unknown name, a value out of range, a wrong combination."""

    exit_status = 2


class GateError(ZooError):
    """A bar that the caller stated (an accuracy, an agreement) was not met."""

    exit_status = 3


class UnavailableError(ZooError):
    """Something needed is not to be had: weights, network, device, memory, disk."""

    exit_status = 4


class WeightsError(UnavailableError):
    """Weights that cannot be found, fetched, trusted, or that do not fit the network."""


class ImageError(ZooError):
    """One image cannot be read. It costs that image alone, never the run."""

    exit_status = 1
