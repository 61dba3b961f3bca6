"""``zoo doctor``: versions, caches and devices, and their problems."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from zoo.cli import common

#: Packages whose versions are reported.
PACKAGES = ("keras", "tensorflow", "jax", "torch", "openvino", "numpy", "pillow", "h5py", "pillow-heif")

#: Variables that change what zoo does.
VARIABLES = (
    "KERAS_BACKEND", "KERAS_HOME", "ZOO_CACHE", "ZOO_CACHE_PATH", "ZOO_OFFLINE",
    "ZOO_WEIGHTS_MIRROR", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip

#: Free space that compiled networks and weights need, in bytes.
LEAST_SPACE = 2 * 10**9


@common.command("doctor")
@click.option("--format", type=click.Choice(["table", "json"]), help="Default: table on a terminal, json into a pipe.")
def command(format: str | None) -> int:
    """Check versions, caches and devices, and report problems.

    Exit status 4 if something that zoo needs is missing. Nothing is downloaded, and no framework is imported.
    """
    import sys

    from zoo._version import __version__
    from zoo.core import output as out

    checks = list(_checks())
    wrong = [check for check in checks if check["status"] == "wrong"]
    if (format or ("table" if sys.stdout.isatty() else "json")) == "json":
        click.echo(out.to_json({"zoo": __version__, "ok": not wrong, "checks": checks}))
    else:
        signs = {"ok": "✓", "note": "·", "wrong": "✗"}
        width = max(len(check["name"]) for check in checks)
        for check in checks:
            click.echo(f"{signs[check['status']]} {check['name']:<{width}}  {out.printable(check['text'])}")
        click.echo("everything that zoo needs is installed" if not wrong else f"{len(wrong)} of these need attention")
    return 4 if wrong else 0


def _check(name: str, text: str, status: str = "ok") -> dict[str, Any]:
    return {"name": name, "status": status, "text": text}


def _checks() -> Iterator[dict[str, Any]]:
    import platform

    from zoo._version import __version__

    yield _check("zoo", f"{__version__} in {Path(__file__).parents[1]}")
    yield _check("python", f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield from _caches()
    yield from _devices()
    for name in VARIABLES:
        if name in os.environ:
            yield _check(name, os.environ[name] or "(empty)", "note")


def _packages() -> Iterator[dict[str, Any]]:
    from importlib.metadata import PackageNotFoundError, version

    from zoo.engines.devices import BACKENDS

    there = set()
    for name in PACKAGES:
        try:
            yield _check(name, version(name))
            there.add(name)
        except PackageNotFoundError:
            needed = name in ("keras", "numpy", "pillow", "h5py")
            yield _check(name, "not installed", "wrong" if needed else "note")
    named = os.environ.get("KERAS_BACKEND")
    if named and named not in there:
        yield _check("backend", f"KERAS_BACKEND is {named}, which is not installed; unset it or install it", "wrong")
    elif not there & set(BACKENDS):
        yield _check("backend", "no Keras backend that can train is installed; 'pip install tensorflow'", "wrong")
    else:
        from zoo.engines.devices import wanted_backend

        yield _check("backend", f"Keras will run on {wanted_backend()}")


def _caches() -> Iterator[dict[str, Any]]:
    import shutil

    from zoo.catalog import inventory
    from zoo.core import paths
    from zoo.pretrained import download

    for name, folder in (("weights", paths.keras_home() / "models"), ("zoo's cache", paths.cache_root())):
        if not download.writable(folder):
            yield _check(name, f"{folder} cannot be written", "note" if name == "weights" else "wrong")
            continue
        free = shutil.disk_usage(folder if folder.exists() else _nearest(folder)).free
        text = f"{folder}, {free / 1e9:.1f} GB free"
        yield _check(name, text, "ok" if free >= LEAST_SPACE else "note")
    for root in paths.weight_roots():
        yield _check("more weights", str(root) if root.is_dir() else f"{root} of ZOO_CACHE_PATH is no folder",
                     "ok" if root.is_dir() else "note")  # fmt: skip
    cached = inventory.cached()
    bad = [entry for entry in cached if not entry.verified]
    yield _check("on this machine", f"weights of {len({entry.model for entry in cached})} networks, "
                 f"{len(bad)} files not verified yet")  # fmt: skip


def _devices() -> Iterator[dict[str, Any]]:
    from zoo.core.output import human_bytes
    from zoo.engines import devices

    for device in devices.survey():
        text = f"{device.model}, {human_bytes(device.memory_free)} of {human_bytes(device.memory_total)} free"
        yield _check(device.name, f"{text}; {'taken' if device.selected else 'left'}: {device.reason}")


def _nearest(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next(parent for parent in folder.parents if parent.exists())
