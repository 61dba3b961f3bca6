"""Import a weight file: check it against its network, then copy it into the cache.

A file with an official digest is stored where Keras looks for it. Any other is stored in ``$ZOO_CACHE/weights/MODEL``,
with a record of its origin; arrays by name are converted to Keras's layout. The source is never changed.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zoo.catalog import registry
from zoo.core import atomic, paths
from zoo.core.atomic import need_space
from zoo.core.errors import UsageError, WeightsError
from zoo.core.spec import ModelSpec, WeightFile
from zoo.core.stderr import quiet_stderr
from zoo.models import matching
from zoo.models.matching import Mismatch
from zoo.pretrained import arrays, download
from zoo.pretrained import digests as verification
from zoo.pretrained import layout as weight_layout
from zoo.pretrained import weights as pretrained
from zoo.pretrained.digests import Digests
from zoo.pretrained.sources import imported
from zoo.pretrained.weights import LocalWeights

__all__ = ["Mismatch", "check", "import_file"]


def check(path: str | os.PathLike[str], spec: ModelSpec, *, include_top: bool | None = None) -> list[Mismatch]:
    """What of a file does not fit a network; empty if it fits. Only shapes are compared.

    Args:
        path: legacy HDF5, Keras 3 ``.weights.h5``, a ``.keras`` archive, of which only the weights are read, or
            arrays by name (``.npz``, ``.npy``).
        spec: the network.
        include_top: with or without its classifier; as the file has it if omitted.

    Raises:
        WeightsError: the file cannot be read, or has another format.
    """
    source = _source(path)
    with tempfile.TemporaryDirectory(prefix="zoo-") as folder:
        try:
            readable = _readable(source, Path(folder))
        except OSError as error:
            raise WeightsError(f"{source} cannot be read: {error.strerror or error}.") from error
        return _fit(readable, spec, include_top)[0]


def import_file(path: str | os.PathLike[str], spec: ModelSpec, tag: str | None = None) -> LocalWeights:
    """Check a file against a network and copy it into the cache, where every command finds it.

    An earlier import for the same network and tag is replaced.

    Args:
        path: as for :func:`check`.
        spec: the network.
        tag: the name of these weights; the network's preferred tag if omitted.

    Raises:
        UsageError: the tag is no name.
        WeightsError: the file cannot be read, does not fit, or cannot be copied.
    """
    tag = tag or pretrained.default_tag(spec)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", tag):
        raise UsageError(f"A tag is made of letters, digits, '.', '_' and '-'. Received: {tag!r}")
    source = _source(path)
    try:
        digests = verification.hash_file(source)
    except OSError as error:
        raise WeightsError(f"{source} cannot be read: {error.strerror or error}.") from error
    official = _official(spec, digests)
    if official:
        stored_by, folder = pretrained.download_target()
    else:
        folder = paths.cache_root() / "weights" / spec.name
    try:
        if official:
            tag, has_top, file = official
            _copy_official(source, folder / file.file, digests)
            return LocalWeights(folder / file.file, stored_by.origin, has_top, spec, tag, file)
        return _into_zoo(source, spec, tag, digests, folder)
    except OSError as error:
        raise download.disk_error(error, folder) from error


def _source(path: str | os.PathLike[str]) -> Path:
    source = Path(path)
    if not source.exists():
        raise WeightsError(f"There is no file {source}.")
    if not source.is_file():
        raise WeightsError(f"{source} is no file; name the file of weights itself.")
    return source


def _readable(source: Path, folder: Path) -> Path:
    """The file itself, or the weights extracted from an archive."""
    with source.open("rb") as file:
        if file.read(8) == download.SIGNATURES[".h5"] or arrays.recognise(source):
            return source
    target = folder / "import.weights.h5"
    weight_layout.extract(source, target)
    return target


def _fit(path: Path, spec: ModelSpec, include_top: bool | None) -> tuple[list[Mismatch], bool]:
    """What does not fit, and whether the file has the classifier."""
    layout = weight_layout.read(path)
    found = matching.mismatches(layout, _build(spec, include_top is not False))
    if include_top is None and any(one.weight is None and not one.extra for one in found):
        headless = matching.mismatches(layout, _build(spec, False))
        if len(headless) < len(found):
            return headless, False
    return found, include_top is not False


def _build(spec: ModelSpec, include_top: bool) -> Any:
    """The bare network with random weights."""
    # Shapes need no framework, and Keras on OpenVINO starts in half the time. What is chosen already stays.
    if "keras" not in sys.modules and find_spec("openvino"):
        os.environ.setdefault("KERAS_BACKEND", "openvino")
    with quiet_stderr():
        from zoo.models.create import create_model

        return create_model(spec, weights=None, preprocessing=False, include_top=include_top)


def _load(network: Any, spec: ModelSpec, path: Path) -> None:
    """Load a file that fits, and make sure that every value of it reached the network.

    Raises:
        WeightsError: Keras cannot load it, or the network does not hold what the file does.
    """
    from zoo.models import loading

    try:
        loading.load_weights(network, spec, path)
    except WeightsError:
        raise
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(f"{path} has the shapes of {spec.name}, but Keras does not load it: {first}") from error
    with weight_layout.reading(path) as read:
        for stored, target in matching.match(weight_layout.read(path), network):
            # The variance that an input is normalised by may be corrected on loading.
            if stored is None or target is None or type(target.layer).__name__ == "Normalization":
                continue
            theirs = sorted(weight_layout.fingerprint(read(weight.dataset)) for weight in stored.weights)
            if sorted(map(weight_layout.fingerprint, target.variables)) != theirs:
                raise WeightsError(
                    f"{path} has the shapes of {spec.name}, but its values do not reach the layer {target.layer.name}: "
                    "its layers stand in another order; save it again from that network with Keras 3."
                )


def _official(spec: ModelSpec, digests: Digests) -> tuple[str, bool, WeightFile] | None:
    """Tag, classifier and entry of the published file that has these digests."""
    for tag, weights in spec.weights.items():
        for has_top, file in ((True, weights.top), (False, weights.no_top)):
            if file and (file.md5 or file.sha256) and verification.compare(digests, file) is None:
                return tag, has_top, file
    return None


def _copy_official(source: Path, target: Path, digests: Digests) -> None:
    """Copy an official file under its official name."""
    if target.is_file() and verification.digests(target) == digests:
        return
    need_space(target.parent, source.stat().st_size)
    temporary = _temporary(target.parent, target.suffix)
    try:
        shutil.copyfile(source, temporary)
        if verification.hash_file(temporary) != digests:
            raise WeightsError(f"{source} changed while it was copied; try again when nothing writes it.")
        atomic.publish(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    verification.remember(target, digests)


def _into_zoo(source: Path, spec: ModelSpec, tag: str, digests: Digests, folder: Path) -> LocalWeights:
    """Check any other file against the network and copy it with a record."""
    folder.mkdir(parents=True, exist_ok=True)
    # The copy is what is checked, so that nothing can change between the check and the use.
    need_space(folder, source.stat().st_size)
    temporary = _temporary(folder, ".weights.h5")
    try:
        weight_layout.extract(source, temporary)
        layout = weight_layout.read(temporary)
        if layout.format != "arrays":
            # Keras recognises the layout by the name, which a stranger's file need not have right.
            stem = temporary.name.removesuffix(".weights.h5")
            temporary = temporary.rename(temporary.with_name(stem + weight_layout.SUFFIXES[layout.format]))
        found, has_top = _fit(temporary, spec, None)
        if found:
            raise WeightsError(_refusal(source, spec, digests, layout, found))
        network = _build(spec, has_top)
        _load(network, spec, temporary)
        if layout.format == "arrays":
            # Kept as Keras's own, which every reader of weights knows and which needs no more checks.
            network.save_weights(temporary, overwrite=True)
            layout = weight_layout.read(temporary)
        return _record(source, temporary, spec, tag=tag, has_top=has_top, layout=layout, digests=digests)
    except WeightsError as error:
        # A person knows the source; the copy is gone when this is read.
        raise WeightsError(str(error).replace(str(temporary), str(source))) from error
    finally:
        temporary.unlink(missing_ok=True)


def _record(
    source: Path,
    copy: Path,
    spec: ModelSpec,
    *,
    tag: str,
    has_top: bool,
    layout: weight_layout.Layout,
    digests: Digests,
) -> LocalWeights:
    """Give the copy its name, write its record, and remove what the record named before."""
    record = imported.record_file(spec.name, tag, has_top)
    before = imported.read_record(record)
    stored = verification.hash_file(copy)
    # The digest in the name makes a new import a new file, so that the record changes in one step.
    target = record.with_name(f"{record.stem}-{stored.sha256[:8]}{weight_layout.SUFFIXES[layout.format]}")
    size = copy.stat().st_size
    about: dict[str, Any] = {
        "file": target.name,
        "sha256": stored.sha256,
        "bytes": size,
        "model": spec.name,
        "tag": tag,
        "has_top": has_top,
        "format": layout.format,
        "checked_against": {
            "builder": str(spec.builder),
            "parameters": layout.parameters,
            "layers": len(layout.layers),
        },
        "source": source.name,
        "source_sha256": digests.sha256,
        "imported": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    atomic.publish(copy, target)
    verification.remember(target, stored)
    temporary = _temporary(record.parent, ".json")
    temporary.write_text(json.dumps(about, indent=1), encoding="utf-8")
    atomic.publish(temporary, record)
    if before and before[0] != target:
        before[0].unlink(missing_ok=True)
    return LocalWeights(
        target, "imported", has_top, spec, tag, WeightFile(target.name, sha256=stored.sha256, bytes=size)
    )


def _temporary(folder: Path, suffix: str) -> Path:
    """A name that no other process uses."""
    return folder / f".import-{os.getpid()}-{os.urandom(4).hex()}.zoo.part{suffix}"


def _refusal(
    source: Path, spec: ModelSpec, digests: Digests, layout: weight_layout.Layout, found: list[Mismatch]
) -> str:
    """The error for a file that does not fit, with the network that it may belong to."""
    lines = "".join(f"\n  {line}" for line in matching.describe(found))
    other = _owner(spec, digests, layout.parameters)
    hint = f", {other}" if other else ""
    return f"{source} does not fit {spec.name}{hint}:{lines}"


def _owner(spec: ModelSpec, digests: Digests, parameters: int) -> str | None:
    """The network of the registry to which a file seems to belong, as part of a sentence."""
    others = [other for other in registry.list_models() if other.name != spec.name]
    for other in others:
        if _official(other, digests):
            return f"but it is the official file of {other.name} (--as {other.name})"
    names = [other.name for other in others if parameters in (other.params, other.params_no_top)]
    if names:
        return f"but has as many parameters as {' or '.join(names[:3])}"
    return None
